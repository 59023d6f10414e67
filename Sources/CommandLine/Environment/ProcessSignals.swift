private import Glibc
private import Groundwork
private import Synchronization

/// The process's own INT and TERM, as a thread of its own hands them on.
///
/// While nobody listens, one ends the process at once; while somebody does, the third one does, so that a process that
/// does not stop can still be ended from the keyboard.
package struct ProcessSignals: SignalSource {
    private struct State {
        var handler: (@Sendable (Int32) -> Void)?
        var count = 0
    }

    private static let state = Mutex(State())
    /// Where the handler writes, which may do next to nothing else (signal-safety(7)).
    private static let writer = Atomic<Int32>(-1)

    /// Begins to take them. The first thing that the program does: before it, they end the process as they always do.
    package init() {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        Self.writer.store(ends[1], ordering: .sequentiallyConsistent)
        // Who started this process may have blocked them, which it would inherit (sigprocmask(2)).
        var wanted = sigset_t()
        unsafe sigemptyset(&wanted)
        for number in [SIGINT, SIGTERM] {
            unsafe sigaddset(&wanted, number)
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                let kept = errno
                _ = unsafe write(ProcessSignals.writer.load(ordering: .relaxed), &byte, 1)
                errno = kept
            }
        }
        unsafe pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
        DetachedThread.start(stackSize: 256 << 10) { [reader = ends[0]] in
            var byte: UInt8 = 0
            while true {
                let count = unsafe read(reader, &byte, 1)
                if count == 1 { Self.take(Int32(byte)) } else if count == 0 || errno != EINTR { return }
            }
        }
    }

    private static func take(_ number: Int32) {
        let handler = state.withLock { state in
            state.count += state.handler == nil ? 0 : 1
            return state.count < 3 ? state.handler : nil
        }
        guard let handler else { _exit(128 + number) }
        handler(number)
    }

    package func listen(_ handler: @escaping @Sendable (Int32) -> Void) -> any SignalSubscription {
        Self.state.withLock { $0 = State(handler: handler) }
        return Subscription()
    }

    private struct Subscription: SignalSubscription {
        func cancel() { ProcessSignals.state.withLock { $0 = State() } }
    }
}
