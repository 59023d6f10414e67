import DatabaseAccess
import LedgerStore
import RunbookModel

/// Tenants in SQLite files are locked where the ledger is.
extension Execution {
    /// Runs `work` under the tenant's lock, which is given back afterwards.
    ///
    /// - Parameter work: is given the lock, and what asks whether it is still held.
    func underLedgerLock(_ work: (_ lock: TenantLock, _ lockIsHeld: @escaping () -> Bool) -> StageEnd) -> StageEnd {
        let locks: any AdvisoryLocks
        let lock: TenantLock
        do throws(DatabaseError) {
            locks = try connections.ledgerLocks()
            lock = TenantLock(locks: locks, ticket: ticket)
            guard try lock.take() else { return StageEnd(.busy) }
        } catch {
            return StageEnd(unconnected(error, isServer: context.ledgerDialect == .postgresql))
        }
        defer { lock.giveBack() }
        return work(lock) {
            do throws(DatabaseError) { return try locks.holds(ticket.tenantKey, .exclusive) } catch { return false }
        }
    }

    /// The transactional scripts of a stage, in a SQLite file.
    func stage(in session: any DatabaseSession, hasEnded: (Int) -> Void) -> StageEnd {
        underLedgerLock { lock, lockIsHeld in
            var asked = ContinuousClock.now
            let stage = SQLiteStage(
                scripts: parts.compactMap { script($0, in: session) }, session: session, isFused: context.isFused
            ) {
                guard !context.stop.isStopping, lockIsHeld() else { return false }
                // Who waits for the whole workspace waits for long scripts, not for short ones.
                guard ContinuousClock.now - asked > .milliseconds(100) else { return true }
                asked = .now
                return lock.isUncontested
            }
            return stage.run(hasEnded: hasEnded)
        }
    }

    private func script(_ part: Part, in session: any DatabaseSession) -> SQLiteScript? {
        guard case .sql(let script) = part.step.runbook.action else { return nil }
        return SQLiteScript(
            runbook: part.step.runbook, script: script, target: target, ticket: part.ticket, session: session,
            wait: FileWait(limit: context.lockWait(of: part.step.runbook)))
    }
}
