private import CSystem
private import FoundationEssentials
private import Glibc
private import Groundwork

/// The hook's stdin: a file in memory (memfd_create(2)), so that nobody has to feed it. A hook that reads nothing, or
/// closes it early, blocks nobody and sends no SIGPIPE.
struct HookInput: ~Copyable {
    let descriptor: Int32

    init(_ bytes: [UInt8]) throws(HookError) {
        descriptor = unsafe muster_memory_file("muster-hook-input")
        guard descriptor >= 0 else { throw HookError(system: "the input of a hook cannot be made") }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || (count < 0 && errno == EINTR) else {
                throw HookError(system: "the input of a hook cannot be made")
            }
            written += max(0, count)
        }
        lseek(descriptor, 0, SEEK_SET)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}

/// The pipe behind a hook's stdout and stderr, and what was kept of it.
struct HookOutput: ~Copyable {
    private(set) var writer: Int32
    /// -1 once everybody has closed the other end.
    private(set) var reader: Int32
    private var captured: CapturedOutput
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    init(limit: Int) throws(HookError) {
        var ends: [Int32] = [-1, -1]
        let code = unsafe muster_pipe(&ends)
        (reader, writer) = (ends[0], ends[1])
        captured = CapturedOutput(limit: limit)
        guard code == 0, fcntl(reader, F_SETFL, O_NONBLOCK) == 0 else {
            throw HookError(system: "the output of a hook cannot be captured")
        }
    }

    deinit {
        if writer >= 0 { close(writer) }
        if reader >= 0 { close(reader) }
    }

    var isClosed: Bool { reader < 0 }
    var text: String { captured.text }

    mutating func closeWriter() {
        close(writer)
        writer = -1
    }

    /// Takes what is there, but no more than once a buffer, so that a flood does not keep the caller from its clock.
    ///
    /// - Parameter take: gets it in place of the text.
    mutating func read(_ take: ((ArraySlice<UInt8>) -> Void)?) {
        guard reader >= 0 else { return }
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(reader, $0.baseAddress, $0.count) }
        if count > 0 {
            if let take { take(buffer[..<count]) } else { captured.append(buffer[..<count]) }
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            close(reader)
            reader = -1
        }
    }
}

/// What can wake the thread that waits for a hook: its end, its output, an interrupt, the time.
struct HookWatch: ~Copyable {
    /// Readable when the hook has ended; -1 on a system that has no such descriptors.
    private let process: Int32
    private let interrupter: HookInterrupter

    init(process: Int32, interrupter: HookInterrupter) {
        self.process = muster_process_descriptor(process)
        self.interrupter = interrupter
    }

    deinit { if process >= 0 { close(process) } }

    /// - Parameter seen: what the caller saw last. It stays readable and would wake at once, for ever; from then on the
    ///   clock alone wakes. What happened since is not in it, and so does wake.
    func wait(for output: borrowing HookOutput, until instant: ContinuousClock.Instant, seen: HookCourse.Sight?) {
        let (seconds, attoseconds) = ContinuousClock.now.duration(to: instant).components
        var milliseconds = max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
        if process < 0 || interrupter.descriptor < 0 { milliseconds = min(milliseconds, 10) }
        var events = [
            pollfd(fd: output.reader, events: Int16(POLLIN), revents: 0),
            pollfd(fd: seen?.hasEnded == true ? -1 : process, events: Int16(POLLIN), revents: 0),
            pollfd(fd: seen?.isInterrupted == true ? -1 : interrupter.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&events, nfds_t(events.count), Int32(clamping: milliseconds))
    }
}

extension HookError {
    /// A failed system call; reads `errno`.
    fileprivate init(system what: String) {
        self.init(.system, "\(what): \(String(systemError: errno))")
    }
}
