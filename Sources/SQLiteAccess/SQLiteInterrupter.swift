private import CSQLite
internal import DatabaseAccess
private import Synchronization

/// Stops the call that a session has under way: the running statement, a wait for a busy file, and the statements of a
/// script that have not begun.
final class SQLiteInterrupter: StatementInterrupter {
    /// The address of the open connection, 0 when it is closed. The lock is held while SQLite is told, so that the
    /// handle cannot be closed meanwhile (https://www.sqlite.org/c3ref/interrupt.html).
    private let handle = Mutex<UInt>(0)
    private let requested = Atomic<Bool>(false)

    /// Whether somebody has asked since the last `begin`.
    var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// A call of the session begins: what was asked before is over.
    func begin() { requested.store(false, ordering: .relaxed) }

    func attach(_ address: UInt) { handle.withLock { $0 = address } }

    func detach() { handle.withLock { $0 = 0 } }

    func interrupt() {
        handle.withLock { address in
            guard let connection = unsafe OpaquePointer(bitPattern: address) else { return }
            requested.store(true, ordering: .relaxed)
            unsafe sqlite3_interrupt(connection)
        }
    }
}
