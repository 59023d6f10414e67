import DatabaseAccess
import LedgerStore
import RunbookModel

/// A tenant in another PostgreSQL database is locked there, where who wants the whole workspace does not look. So a runner
/// with such tenants holds the workspace's key shared in the ledger's database while it works.
extension LedgerDesk {
    /// Whether anything may begin at a place of the run: nobody wants the workspace for himself; where a tenant is to have
    /// it, it is not this runner who stands in its way.
    func mayBegin(at place: Int) -> Bool {
        guard livesElsewhere else { return true }
        do throws(DatabaseError) {
            if sharedPlaces.contains(place) {
                try letWorkspaceGo()
                return true
            }
            if try insisting({ _ throws(DatabaseError) in try holdWorkspace() }) { return true }
            try letWorkspaceGo()
            if !claimed.isEmpty { quietUntil = max(quietUntil, .now + .milliseconds(50)) }
        } catch { fail(error) }
        return false
    }

    private func holdWorkspace() throws(DatabaseError) -> Bool {
        guard !holdsWorkspace else { return !isYielding }
        // Where a pooler stands in between there is no session to hold it with.
        guard let locks = try keyHolder() else { return true }
        isYielding = false
        let keys = TenantKeys(workspace: workspace, tenant: "")
        guard try locks.tryLock(keys.gate, .shared) else { return false }
        _ = try locks.unlock(keys.gate, .shared)
        holdsWorkspace = try locks.tryLock(keys.workspace, .shared)
        return holdsWorkspace
    }

    /// Gives way to who wants the workspace for himself: nothing begins, and once nothing is under way it is his.
    func lookForReservation() throws(DatabaseError) {
        guard holdsWorkspace else { return }
        try insisting { _ throws(DatabaseError) in
            guard holdsWorkspace, let locks = try keyHolder() else { return }
            let gate = LockKey.gate(workspace)
            isYielding = try !locks.tryLock(gate, .shared)
            if !isYielding { _ = try locks.unlock(gate, .shared) }
        }
    }

    /// Gives the key back while nothing is under way.
    func letWorkspaceGo() throws(DatabaseError) {
        guard holdsWorkspace, underWay == 0 else { return }
        try insisting { _ throws(DatabaseError) in
            // A connection that was lost has given it back.
            guard holdsWorkspace else { return }
            holdsWorkspace = false
            _ = try keyHolder()?.unlock(LockKey.workspace(workspace), .shared)
        }
    }
}
