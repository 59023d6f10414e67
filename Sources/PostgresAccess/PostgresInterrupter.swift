import DatabaseAccess
import Synchronization

/// Stops a session's statement from another thread: the one call that crosses threads.
///
/// The lock is held while the request is under way, and the session takes it when a statement begins and ends: a request
/// can neither hit the next statement nor use a key that is gone. A request that overtakes its statement on the way to
/// the server is lost; callers repeat theirs until the statement has ended.
final class PostgresInterrupter: StatementInterrupter {
    private struct State: ~Copyable {
        var key: PostgresCancelKey?
        var isUnderWay = false
        var wasInterrupted = false
    }

    private let state: Mutex<State>

    init(keyAddress: UInt) {
        state = Mutex(State(key: PostgresCancelKey(address: keyAddress)))
    }

    func interrupt() {
        state.withLock { state in
            guard state.isUnderWay else { return }
            state.wasInterrupted = true
            state.key?.cancel()
        }
    }

    func beginStatement() {
        state.withLock { state in
            state.isUnderWay = true
            state.wasInterrupted = false
        }
    }

    /// Returns whether the statement was interrupted.
    func endStatement() -> Bool {
        state.withLock { state in
            state.isUnderWay = false
            return state.wasInterrupted
        }
    }

    func forgetKey() {
        state.withLock { state in state.key = nil }
    }
}
