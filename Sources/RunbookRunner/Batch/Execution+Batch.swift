import DatabaseAccess
import LedgerStore
import RunbookModel

/// Where a backfill meets its engine and its lock.
extension Execution {
    /// PostgreSQL: under session locks on the connection that does the work, from the first batch to the last.
    func batches(_ work: BatchWork, on connection: TenantConnection) -> ActionEnd {
        guard let receipts = connection.receipts else {
            return .failed(
                runbook.failure(tenant: tenant.id, "no PostgreSQL connection", clean: true), isTransient: false,
                output: nil, counted: false)
        }
        let lock = TenantLock(locks: SessionAdvisoryLocks(on: connection.session), ticket: ticket)
        do throws(DatabaseError) {
            guard try lock.take() else { return .busy }
        } catch {
            let failure = runbook.failure(tenant: tenant.id, error.message, clean: true)
            switch error.code {
            case .interrupted: return .interrupted
            case .connectionLost, .unreachable: return .unreachable(failure)
            default: return .failed(failure, isTransient: error.isTransient, output: nil, counted: false)
            }
        }
        let end = BatchCourse(runbook: runbook, work: work, ticket: ticket, context: context).run(
            PostgresBatch(
                runbook: runbook, work: work, target: target, ticket: ticket, connection: connection, receipts: receipts
            )
        )
        // Gives the locks back as well.
        if connection.session.isUsable { _ = connection.recover() }
        return end
    }

    /// SQLite: the lock is held by the caller.
    func batches(_ work: BatchWork, in session: any DatabaseSession, wait: FileWait) -> ActionEnd {
        BatchCourse(runbook: runbook, work: work, ticket: ticket, context: context).run(
            SQLiteBatch(
                runbook: runbook, work: work, target: target, ticket: ticket, session: session, wait: wait))
    }
}
