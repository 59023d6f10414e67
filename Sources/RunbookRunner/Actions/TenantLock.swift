import DatabaseAccess
import LedgerStore

/// The workspace's lock shared and the tenant's exclusively, held by a session or by a descriptor of the lock file.
struct TenantLock {
    let locks: any AdvisoryLocks
    let keys: TenantKeys

    init(locks: any AdvisoryLocks, keys: TenantKeys) {
        self.locks = locks
        self.keys = keys
    }

    init(locks: any AdvisoryLocks, ticket: ClaimTicket) { self.init(locks: locks, keys: ticket.keys) }

    /// Tries; never waits. Whoever reserves the whole workspace holds the gate, and goes first.
    func take() throws(DatabaseError) -> Bool {
        guard try locks.tryLock(keys.gate, .shared) else { return false }
        _ = try locks.unlock(keys.gate, .shared)
        guard try locks.tryLock(keys.workspace, .shared) else { return false }
        do throws(DatabaseError) {
            if try locks.tryLock(keys.tenant, .exclusive) { return true }
            _ = try locks.unlock(keys.workspace, .shared)
            return false
        } catch {
            do throws(DatabaseError) { _ = try locks.unlock(keys.workspace, .shared) } catch {}
            throw error
        }
    }

    /// Whether nobody waits for the whole workspace: who has a tenant's lock for several transactions asks between them.
    var isUncontested: Bool {
        do throws(DatabaseError) {
            guard try locks.tryLock(keys.gate, .shared) else { return false }
            return try locks.unlock(keys.gate, .shared)
        } catch {
            return false
        }
    }

    /// Gives both back. A lock that was lost is found out before an end is recorded, not here.
    func giveBack() {
        do throws(DatabaseError) { _ = try locks.unlock(keys.tenant, .exclusive) } catch {}
        do throws(DatabaseError) { _ = try locks.unlock(keys.workspace, .shared) } catch {}
    }
}
