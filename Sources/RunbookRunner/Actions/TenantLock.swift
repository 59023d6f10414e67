import DatabaseAccess
import LedgerStore

/// The workspace's lock shared and the tenant's exclusively, held by a session or by a descriptor of the lock file.
struct TenantLock {
    let locks: any AdvisoryLocks
    let ticket: ClaimTicket

    /// Tries; never waits. Whoever reserves the whole workspace holds the gate, and goes first.
    func take() throws(DatabaseError) -> Bool {
        guard try locks.tryLock(ticket.gateKey, .shared) else { return false }
        _ = try locks.unlock(ticket.gateKey, .shared)
        guard try locks.tryLock(ticket.workspaceKey, .shared) else { return false }
        do throws(DatabaseError) {
            if try locks.tryLock(ticket.tenantKey, .exclusive) { return true }
            _ = try locks.unlock(ticket.workspaceKey, .shared)
            return false
        } catch {
            do throws(DatabaseError) { _ = try locks.unlock(ticket.workspaceKey, .shared) } catch {}
            throw error
        }
    }

    /// Gives both back. A lock that was lost is found out before an end is recorded, not here.
    func giveBack() {
        do throws(DatabaseError) { _ = try locks.unlock(ticket.tenantKey, .exclusive) } catch {}
        do throws(DatabaseError) { _ = try locks.unlock(ticket.workspaceKey, .shared) } catch {}
    }
}
