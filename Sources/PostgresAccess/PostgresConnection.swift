private import CLibPQ
import DatabaseAccess
private import Glibc

private let libpq = muster_libpq()

/// One connection of libpq, ended with it; its pointer never leaves this file.
@safe
struct PostgresConnection: ~Copyable {
    private let pointer: OpaquePointer
    /// Kept for the pointer to it that libpq holds.
    private let notices: NoticeLog
    private var isReleased = false

    /// Begins to connect; nil when there is no memory for it.
    init?(_ parameters: ConnectionParameters, notices: NoticeLog) {
        let keywords = CStringTable(parameters.keywords)
        let values = CStringTable(parameters.values)
        let started = unsafe keywords.lend { keywords in
            unsafe values.lend { values in unsafe libpq.PQconnectStartParams(keywords, values, 1) }
        }
        guard let started = unsafe started else { return nil }
        unsafe self.init(started, notices)
    }

    /// Takes a connection that was released before it stood.
    init?(releasedAt address: UInt, notices: NoticeLog) {
        guard let pointer = unsafe OpaquePointer(bitPattern: address) else { return nil }
        unsafe self.init(pointer, notices)
    }

    private init(_ pointer: OpaquePointer, _ notices: NoticeLog) {
        unsafe self.pointer = pointer
        self.notices = notices
        // Set before the server can say anything: libpq's own receiver writes to stderr.
        _ = unsafe libpq.PQsetNoticeReceiver(
            pointer,
            { log, notice in
                guard let log = unsafe log, let notice = unsafe notice else { return }
                let said = unsafe PostgresResult.diagnostics(of: notice)
                unsafe Unmanaged<NoticeLog>.fromOpaque(log).takeUnretainedValue()
                    .receive(said.severity ?? "NOTICE", said.message)
            }, Unmanaged.passUnretained(notices).toOpaque())
        // Puts the SQLSTATE into the message of a failed attempt; see ConnectionFailure.
        _ = unsafe libpq.PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
    }

    deinit {
        if !isReleased { unsafe libpq.PQfinish(pointer) }
    }

    /// Gives the connection away as an address, which may cross threads.
    consuming func release() -> UInt {
        isReleased = true
        return unsafe UInt(bitPattern: pointer)
    }

    /// Ends a connection that was released. Nothing is read on the way, so nobody has to be there for notices (libpq's
    /// closePGconn).
    static func finish(releasedAt address: UInt) { unsafe libpq.PQfinish(OpaquePointer(bitPattern: address)) }

    /// The same of one that nobody has waited for: libpq says goodbye only where it has heard that the connection stands.
    static func finish(begunAt address: UInt) {
        guard let connection = PostgresConnection(releasedAt: address, notices: NoticeLog()) else { return }
        connection.hearAnswer()
    }

    /// Ends the connection and waits until the server's process is gone, which holds its socket to the last (PostgreSQL's
    /// source, pqcomm.c, `socket_close`). A pooler lets go at once.
    consuming func finish(within limit: Duration) {
        let socket = isAlive ? fcntl(unsafe libpq.PQsocket(pointer), F_DUPFD_CLOEXEC, 0) : -1
        _ = consume self
        guard socket >= 0 else { return }
        defer { Glibc.close(socket) }
        let deadline = ContinuousClock.now + limit
        var byte: UInt8 = 0
        while Self.wait(for: socket, POLLIN, until: deadline) {
            let count = unsafe recv(socket, &byte, 1, Int32(MSG_DONTWAIT))
            if count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { return }
        }
    }

    var isAlive: Bool { unsafe libpq.PQstatus(pointer) == CONNECTION_OK }

    /// What libpq says about the last thing that went wrong.
    var complaint: String { unsafe String(copying: libpq.PQerrorMessage(pointer)) ?? "" }

    var backendPID: Int { unsafe Int(libpq.PQbackendPID(pointer)) }

    var isInTransaction: Bool {
        switch unsafe libpq.PQtransactionStatus(pointer) {
        case PQTRANS_INTRANS, PQTRANS_INERROR, PQTRANS_ACTIVE: true
        default: false
        }
    }

    /// The address of a new key, for `PostgresCancelKey`; 0 when there is none.
    var cancelKeyAddress: UInt { unsafe UInt(bitPattern: libpq.PQgetCancel(pointer)) }

    /// False when it could not be sent; `complaint` says why.
    func send(_ message: OutgoingMessage) -> Bool {
        switch message {
        case .text(let text): guard unsafe libpq.PQsendQuery(pointer, text) == 1 else { return false }
        case .statements(let statements, _):
            guard statements.count > 1 else {
                guard let statement = statements.first, send(statement) else { return false }
                break
            }
            guard unsafe libpq.PQenterPipelineMode(pointer) == 1 else { return false }
            for statement in statements { guard send(statement) else { return false } }
            return unsafe libpq.PQpipelineSync(pointer) == 1
        }
        expectRows()
        return true
    }

    private func send(_ statement: BoundStatement) -> Bool {
        let bound = statement.parameters
        return unsafe bound.values.lend { values in
            unsafe libpq.PQsendQueryParams(
                pointer, statement.text, Int32(bound.types.count), bound.types, values, bound.lengths, bound.formats, 0)
        } == 1
    }

    /// Rows of the statement whose results come next are handed over one by one. It refuses when libpq met the end of the
    /// connection while it sent: that waits as a result then.
    func expectRows() { _ = unsafe libpq.PQsetSingleRowMode(pointer) }

    /// Reads the end of a pipeline behind its last result. False when the connection is of no more use.
    func endPipeline() -> Bool {
        _ = nextResult()
        return unsafe libpq.PQexitPipelineMode(pointer) == 1
    }

    /// Waits for the next result of the message, of its next statement in a pipeline; nil when that has ended.
    func nextResult() -> PostgresResult? { unsafe PostgresResult(owning: libpq.PQgetResult(pointer)) }

    /// Ends COPY … FROM STDIN with an error, which the server then reports. False when the connection is lost.
    func refuseCopyIn(_ reason: String) -> Bool { unsafe libpq.PQputCopyEnd(pointer, reason) == 1 }

    /// Reads COPY … TO STDOUT to its end. False when the connection is lost.
    func drainCopyOut() -> Bool {
        while true {
            var row: UnsafeMutablePointer<CChar>?
            let length = unsafe libpq.PQgetCopyData(pointer, &row, 0)
            unsafe libpq.PQfreemem(row)
            if length < 0 { return length == -1 }
        }
    }

    /// Drops what other sessions notified; a script may have said LISTEN.
    func dropNotifications() {
        while let notification = unsafe libpq.PQnotifies(pointer) { unsafe libpq.PQfreemem(notification) }
    }
}

extension PostgresConnection {
    enum Attempt {
        case connected
        /// Silence is how long an address was given that did not answer.
        case failed(message: String, silence: Duration?)
    }

    /// Says what can be said without waiting for an answer, so that the server may begin with its part. Nothing is read.
    func sayHello() {
        // libpq, 34.2 "PQconnectStart": nothing is to be done before the socket can be written to.
        let now = ContinuousClock.now
        while unsafe libpq.PQstatus(pointer) != CONNECTION_BAD, case let socket = unsafe libpq.PQsocket(pointer),
            socket >= 0,
            Self.wait(for: socket, POLLOUT, until: now)
        {
            guard unsafe libpq.PQconnectPoll(pointer) == PGRES_POLLING_WRITING else { return }
        }
    }

    /// Whether the server has said something that was not read yet.
    var hasMoreToSay: Bool { Self.wait(for: unsafe libpq.PQsocket(pointer), POLLIN, until: .now) }

    /// Takes in what the server has said so far.
    private func hearAnswer() {
        let now = ContinuousClock.now
        while unsafe libpq.PQstatus(pointer) != CONNECTION_BAD, !isAlive,
            Self.wait(for: unsafe libpq.PQsocket(pointer), POLLIN, until: now)
        {
            _ = unsafe libpq.PQconnectPoll(pointer)
        }
    }

    /// Waits until the connection stands or has failed, at each address so long as `connect_timeout` says.
    func finishConnecting() -> Attempt {
        let clock = ContinuousClock()
        let limit = connectTimeout
        var silence: Duration?
        var deadline = limit.map { clock.now + $0 }
        // libpq, 34.2 "PQconnectStart": the first wait is for writing.
        var state = PGRES_POLLING_WRITING
        while true {
            switch state {
            case PGRES_POLLING_OK:
                _ = unsafe libpq.PQsetErrorVerbosity(pointer, PQERRORS_DEFAULT)
                return .connected
            case PGRES_POLLING_READING, PGRES_POLLING_WRITING:
                let socket = unsafe libpq.PQsocket(pointer)
                guard socket >= 0 else { return .failed(message: complaint, silence: silence) }
                if !Self.wait(for: socket, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline) {
                    // Ends the attempt at this address; libpq sees it and goes on with the next one.
                    shutdown(socket, Int32(SHUT_RDWR))
                    silence = limit
                    deadline = limit.map { clock.now + $0 }
                }
                state = unsafe libpq.PQconnectPoll(pointer)
            default:
                return .failed(message: complaint, silence: silence)
            }
        }
    }

    /// False when the deadline passed first.
    private static func wait(
        for socket: Int32, _ events: Int32, until deadline: ContinuousClock.Instant?
    ) -> Bool {
        while true {
            let left = deadline.map { ContinuousClock.now.duration(to: $0) / .milliseconds(1) }
            var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
            let answer = unsafe poll(&descriptor, 1, left.map { Int32(max(0, $0.rounded(.up))) } ?? -1)
            if answer > 0 || (answer < 0 && errno != EINTR) { return true }
            if let left, left <= 0 { return false }
        }
    }

    /// `connect_timeout` of the URL, the environment or the service file, else 10 s; nil when it says 0, without limit.
    /// PQconnectPoll leaves it to its caller (libpq, 34.1.2), and counts nothing below 2 s.
    private var connectTimeout: Duration? {
        guard let options = unsafe libpq.PQconninfo(pointer) else { return .seconds(10) }
        defer { unsafe libpq.PQconninfoFree(options) }
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if unsafe String(cString: keyword) == "connect_timeout",
                let seconds = unsafe String(copying: option.pointee.val).flatMap({ Int($0) })
            {
                return seconds > 0 ? .seconds(min(max(seconds, 2), 86400)) : nil
            }
            unsafe option += 1
        }
        return .seconds(10)
    }
}
