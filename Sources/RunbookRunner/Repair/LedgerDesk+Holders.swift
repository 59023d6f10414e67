import DatabaseAccess
import LedgerStore

extension LedgerDesk {
    /// Whether a backend is a runner's of this ledger that is silent or has ended; never somebody else's.
    func mayEnd(_ holder: LockHolder) -> Bool {
        guard let runner = holder.runner, let ledger, ledger.session.isUsable else { return false }
        do throws(DatabaseError) { return try ledger.isGone(runner) } catch { return false }
    }
}
