package import DatabaseAccess

/// A PostgreSQL connection behind the session protocol.
package final class PostgresSession: DatabaseSession {
    package let dialect = DatabaseDialect.postgresql
    package let backendPID: Int?
    package var interrupter: any StatementInterrupter { cancellation }

    private let notices: NoticeLog
    private let cancellation: PostgresInterrupter
    private var connection: PostgresConnection?
    /// Set while a message is under way: a closure that is lent a row must not start another, nor free the connection.
    private var isBusy = false
    private var closesWhenIdle = false
    /// The connection was given up because of a loss, not closed by its owner.
    private var isLost = false
    /// Statements of the open transaction that were not sent yet, its beginning among them.
    private var waiting: [BoundStatement] = []

    /// Connects. The application name is always ours; locks are traced by it.
    ///
    /// - Throws: `.rejected` when the server refused the user, the password or the database (class 28, 3D000, 42501);
    ///   `.unreachable` otherwise, with the SQLSTATE when a server answered.
    ///
    /// - Parameter ahead: where connections may wait that were begun before.
    package static func open(
        _ url: ConnectionURL, _ options: SessionOptions, from ahead: PostgresAhead? = nil
    ) throws(DatabaseError) -> PostgresSession {
        try checkDriver(url)
        if let address = ahead?.take(url, options), let session = taking(address) { return session }
        let notices = NoticeLog()
        let parameters = ConnectionParameters(url, applicationName: options.applicationName)
        let start = ContinuousClock.now
        guard let connection = PostgresConnection(parameters, notices: notices) else {
            throw DatabaseError(.unreachable, "cannot reach \(url): out of memory")
        }
        ahead?.note(.now - start, of: url)
        if case .failed(let message, let silence) = connection.finishConnecting() {
            throw ConnectionFailure(message: message).error(for: url, silence: silence)
        }
        return PostgresSession(connection, notices)
    }

    /// A session over a connection that was begun before; nil when that has failed meanwhile. A server that was asked
    /// nothing has nothing to say but goodbye.
    private static func taking(_ address: UInt) -> PostgresSession? {
        let notices = NoticeLog()
        var hasSpoken = false
        notices.handler = { _ in hasSpoken = true }
        defer { notices.handler = nil }
        guard let connection = PostgresConnection(releasedAt: address, notices: notices),
            case .connected = connection.finishConnecting()
        else { return nil }
        // What libpq has read already, and what it has not.
        connection.dropNotifications()
        guard !hasSpoken, !connection.hasMoreToSay else { return nil }
        return PostgresSession(connection, notices)
    }

    /// Begins a connection; its address, or nil where none can be begun.
    static func begin(_ url: ConnectionURL, _ options: SessionOptions) -> UInt? {
        guard url.dialect == .postgresql, PostgresLibrary.complaint == nil else { return nil }
        let parameters = ConnectionParameters(url, applicationName: options.applicationName)
        guard let connection = PostgresConnection(parameters, notices: NoticeLog()) else { return nil }
        connection.sayHello()
        return connection.release()
    }

    private static func checkDriver(_ url: ConnectionURL) throws(DatabaseError) {
        guard url.dialect == .postgresql else {
            throw DatabaseError(.misuse, "\(url) was given to the driver of PostgreSQL.")
        }
        if let complaint = PostgresLibrary.complaint {
            throw DatabaseError(
                .unreachable, "cannot reach \(url): \(complaint)", hint: "Install libpq (Debian: libpq5).")
        }
    }

    private init(_ connection: consuming PostgresConnection, _ notices: NoticeLog) {
        backendPID = connection.backendPID
        cancellation = PostgresInterrupter(keyAddress: connection.cancelKeyAddress)
        self.notices = notices
        self.connection = consume connection
    }

    deinit {
        close()
    }

    /// Also when its beginning was not sent yet.
    package var isInTransaction: Bool { connection?.isInTransaction == true || !waiting.isEmpty }

    package var isUsable: Bool { connection?.isAlive ?? false }

    package var onNotice: ((String) -> Void)? {
        get { notices.handler }
        set { notices.handler = newValue }
    }

    /// From within a closure that is lent a row, it takes effect when the message has ended.
    package func close() {
        closesWhenIdle = isBusy
        guard !isBusy else { return }
        cancellation.forgetKey()
        connection = nil
        waiting = []
    }

    /// Closes the session, but leaves the connection to the caller; nil when there is none, or it is in use.
    func releaseConnection() -> UInt? {
        let connection = isBusy ? nil : connection.take()
        close()
        return connection?.release()
    }

    package func closeAndWait() {
        let connection = isBusy ? nil : connection.take()
        close()
        connection?.finish(within: .seconds(1))
    }

    @discardableResult
    package func query(
        _ sql: String, _ parameters: [DatabaseValue], forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        let statements = takeWaiting() + [try BoundStatement(sql, parameters)]
        return try answer(of: statements.count - 1, in: statements, forEach: body)
    }

    @discardableResult
    package func query(
        _ sql: String, _ parameters: [DatabaseValue], inTransaction begin: [String], endedBy ending: [String],
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        try self.begin(begin)
        let answering = waiting.count
        return try rollingBackOnFailure { () throws(DatabaseError) in
            waiting.append(try BoundStatement(sql, parameters))
            for text in ending { waiting.append(try BoundStatement(text)) }
            return try answer(of: answering, in: takeWaiting(), forEach: body)
        }
    }

    private func answer(
        of index: Int, in statements: [BoundStatement], forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        var answer = StatementResult()
        try converse(.statements(statements, answers: index..<index + 1), wantsRows: true, row: body) {
            if $0 == index { answer = $1 }
        }
        return answer
    }

    package func rows(of questions: [DatabaseQuestion], commits: Bool) throws(DatabaseError) -> [[DatabaseRow]] {
        var statements = takeWaiting()
        let first = statements.count
        for question in questions { statements.append(try BoundStatement(question.sql, question.parameters)) }
        if commits { statements.append(try BoundStatement("COMMIT")) }
        guard !statements.isEmpty else { return [] }
        var answers: [[DatabaseRow]] = Array(repeating: [], count: questions.count)
        var place = first
        try converse(
            .statements(statements, answers: first..<first + questions.count), wantsRows: true,
            row: { row throws(DatabaseError) in answers[place - first].append(row) },
            each: { index, _ in place = max(first, index + 1) })
        return answers
    }

    package func run(
        _ text: String, as context: ScriptContext?, forEach each: (Int, StatementResult) -> Void
    ) throws(DatabaseError) {
        try sendWaiting()
        try converse(.text(text), wantsRows: false, row: { row throws(DatabaseError) in }, each: each)
    }

    // MARK: Transactions of our own

    package func begin(_ statements: [String]) throws(DatabaseError) {
        try checkReadiness()
        try sendWaiting()
        waiting = try statements.map { text throws(DatabaseError) in try BoundStatement(text) }
    }

    package func enqueue(_ sql: String, _ parameters: [DatabaseValue]) throws(DatabaseError) {
        let statement = try BoundStatement(sql, parameters)
        try checkReadiness()
        let isInTransaction = isInTransaction
        waiting.append(statement)
        if !isInTransaction { try sendWaiting() }
    }

    package func commit() throws(DatabaseError) {
        try checkReadiness()
        waiting.append(try BoundStatement("COMMIT"))
        try sendWaiting()
    }

    package func rollback() throws(DatabaseError) {
        waiting = []
        guard isInTransaction else { return }
        try run("ROLLBACK")
    }

    private func sendWaiting() throws(DatabaseError) {
        guard !waiting.isEmpty else { return }
        _ = try answer(of: waiting.count, in: takeWaiting()) { row throws(DatabaseError) in }
    }

    private func takeWaiting() -> [BoundStatement] {
        defer { waiting = [] }
        return waiting
    }
}

extension PostgresSession {
    /// Sends one message and reads everything it answers, whatever fails on the way.
    private func converse(
        _ message: OutgoingMessage, wantsRows: Bool, row: (DatabaseRow) throws(DatabaseError) -> Void,
        each: (Int, StatementResult) -> Void
    ) throws(DatabaseError) {
        try checkReadiness()
        for text in message.texts { try refuseNUL(text) }
        var reader = MessageReader()
        var refusal: DatabaseError?

        isBusy = true
        cancellation.beginStatement()
        do throws(DatabaseError) { try Failpoint.reach(.message, .before) } catch { connection = nil }
        let isSent = connection?.send(message) ?? false
        do throws(DatabaseError) { try Failpoint.reach(.message, .after) } catch { connection = nil }
        for index in 0..<(isSent ? message.count : 0) {
            if message.isPipelined, message.isAnswer(index) { connection?.expectRows() }
            while let result = connection?.nextResult() {
                switch result.kind {
                case .row:
                    guard let values = reader.takeRow(result, isWanted: wantsRows && refusal == nil) else { continue }
                    guard wantsRows, refusal == nil else { continue }
                    do throws(DatabaseError) { try row(values) } catch { refusal = error }
                case .end:
                    let ended = reader.takeEnd(result)
                    each(ended.index, ended.result)
                case .emptyStatement: break
                case .failure:
                    reader.takeFailure(result.diagnostics.error(resultsBefore: reader.count))
                case .copyIn, .copyOut, .copyBoth:
                    refuseCopy(result.kind, &reader)
                }
            }
        }
        let isInOrder = !message.isPipelined || connection?.endPipeline() == true
        connection?.dropNotifications()
        let wasInterrupted = cancellation.endStatement()
        if !isInOrder, connection?.isAlive == true, reader.failure == nil {
            reader.takeFailure(DatabaseError(.connectionLost, connection?.complaint ?? ""))
        }
        let failure = refusal ?? judged(reader, isSent: isSent, wasInterrupted: wasInterrupted)
        if !isInOrder {
            connection = nil
            isLost = true
        }
        notices.endMessage()
        isBusy = false
        if closesWhenIdle { close() }
        if let failure { throw failure }
    }

    private func checkReadiness() throws(DatabaseError) {
        guard !isBusy else {
            throw DatabaseError(.misuse, "A statement was sent while another one of this session is under way.")
        }
        guard !isLost else { throw DatabaseError(.connectionLost, "The connection was lost before.") }
        guard connection != nil else { throw DatabaseError(.misuse, "A statement was sent on a closed session.") }
    }

    private func refuseNUL(_ text: String) throws(DatabaseError) {
        // A C string ends there, and the rest would silently not be run.
        // Byte by byte it would be the costliest loop of a deploy: scripts are long.
        let holdsNUL =
            unsafe text.utf8.withContiguousStorageIfAvailable { unsafe $0.contains(0) } ?? text.utf8.contains(0)
        guard holdsNUL, let place = text.unicodeScalars.firstIndex(of: "\0") else { return }
        throw DatabaseError(
            .refused, "The text holds a NUL character; PostgreSQL's text has none.",
            hint: "Write it as an escape, or remove it.",
            position: text.unicodeScalars.distance(from: text.unicodeScalars.startIndex, to: place) + 1)
    }

    /// The server waits in the middle of the message until a COPY has ended; what it answers afterwards is read as usual.
    private func refuseCopy(_ kind: PostgresResult.Kind, _ reader: inout MessageReader) {
        let direction = kind == .copyIn ? "COPY … FROM STDIN" : "COPY … TO STDOUT"
        reader.takeFailure(
            DatabaseError(
                .refused, "\(direction) needs a client that reads and writes data; Muster does neither.",
                hint: kind == .copyIn
                    ? "Write INSERT … VALUES, or COPY … FROM a file of the server."
                    : "Write SELECT or INSERT … SELECT, or COPY … TO a file of the server.",
                resultsBefore: reader.count))
        let isEnded =
            switch kind {
            case .copyIn: connection?.refuseCopyIn("Muster sends no data") ?? false
            case .copyOut: connection?.drainCopyOut() ?? false
            default: false
            }
        // libpq stays in the COPY and would answer the same for ever.
        if !isEnded { connection = nil }
    }

    /// The failure of a message, with what is known about it only at its end.
    private func judged(_ reader: MessageReader, isSent: Bool, wasInterrupted: Bool) -> DatabaseError? {
        var failure = reader.failure
        if let failure, failure.code == .statement, failure.sqlState == nil {
            // Not the server's word but libpq's own: it could not send or read. After a failed write it still calls the
            // connection good (libpq's PQgetResult).
            connection = nil
            isLost = true
        }
        if !isUsable {
            failure =
                failure ?? ServerDiagnostics(message: connection?.complaint ?? "").error(resultsBefore: reader.count)
            failure?.code = .connectionLost
        } else if !isSent {
            failure = ServerDiagnostics(message: connection?.complaint ?? "").error(resultsBefore: 0)
            failure?.code = .refused
        } else if failure?.sqlState == "57014", failure?.code == .statement, wasInterrupted {
            failure?.code = .interrupted
        }
        return failure
    }
}
