import DatabaseAccess
import Groundwork
import LedgerStore
import RunbookModel

/// What touches objects outside of its tenant has the workspace for itself.
extension Execution {
    /// Runs `work` while nothing else of the workspace runs: under its lock, exclusively, in the ledger's database.
    ///
    /// Where the tenant lives in that database too, the connection that does the work holds the lock, and they end
    /// together.
    func alone(on connection: TenantConnection, _ work: () -> StageEnd) -> StageEnd {
        let isOwn = connection.receipts?.isLocal == true
        let locks: any AdvisoryLocks
        do throws(DatabaseError) {
            locks = isOwn ? SessionAdvisoryLocks(on: connection.session) : try connections.ledgerLocks()
            guard try reserve(with: locks) else { return StageEnd(context.stop.isStopping ? .interrupted : .busy) }
        } catch {
            if isOwn { _ = connection.recover() }
            return StageEnd(unconnected(error, isServer: context.ledgerDialect == .postgresql))
        }
        let end = work()
        if isOwn {
            // Gives the locks back as well.
            if connection.session.isUsable { _ = connection.recover() }
        } else if !giveBack(locks) {
            context.events.send(
                .message("\(tenant.id): the workspace's lock was lost while \(runbook.identity) was under way"))
        }
        return end
    }

    /// Takes the gate, so that nobody begins any more, and keeps it while those who have begun come to their end.
    private func reserve(with locks: any AdvisoryLocks) throws(DatabaseError) -> Bool {
        let deadline = ContinuousClock.now + context.lockWait(of: runbook)
        guard try insist(on: ticket.gateKey, locks, until: deadline) else { return false }
        do throws(DatabaseError) {
            if try insist(on: ticket.workspaceKey, locks, until: deadline) { return true }
        } catch {
            do throws(DatabaseError) { _ = try locks.unlock(ticket.gateKey, .exclusive) } catch {}
            throw error
        }
        _ = try locks.unlock(ticket.gateKey, .exclusive)
        return false
    }

    /// By trying again and again: who waits inside the call would hold up a concurrent index build.
    private func insist(
        on key: Int64, _ locks: any AdvisoryLocks, until deadline: ContinuousClock.Instant
    ) throws(DatabaseError) -> Bool {
        var pause = 0.002
        while try !locks.tryLock(key, .exclusive) {
            guard ContinuousClock.now < deadline, !context.stop.isStopping else { return false }
            blockThread(for: .seconds(pause * Double.random(in: 0.7...1.3)))
            pause = min(0.1, pause * 1.5)
        }
        return true
    }

    private func giveBack(_ locks: any AdvisoryLocks) -> Bool {
        var wasHeld = true
        for key in [ticket.workspaceKey, ticket.gateKey] {
            do throws(DatabaseError) { wasHeld = try locks.unlock(key, .exclusive) && wasHeld } catch {
                wasHeld = false
            }
        }
        return wasHeld
    }
}
