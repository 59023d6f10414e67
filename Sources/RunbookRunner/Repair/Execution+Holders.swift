import DatabaseAccess
import LedgerStore
import RunbookModel

extension Execution {
    /// Who keeps it waiting, if the server can tell. No answer changes anything but what can be said and ended.
    func holder() -> LockHolder? {
        do throws(DatabaseError) {
            guard let place = try lockPlace() else { return nil }
            guard let receipts = place.receipts else { return try LockHolder.of(ticket.keys, in: place.session) }
            return try receipts.obstacle(to: ticket, in: place.session)
        } catch {
            return nil
        }
    }

    /// Ends a backend whose runner is gone. Without the right to do so the wait goes on.
    func end(_ holder: LockHolder) {
        do throws(DatabaseError) {
            guard let place = try lockPlace() else { return }
            guard try holder.end(in: place.session) else { return }
            context.events.send(.message("\(tenant.id): ended \(holder.application), whose runner is gone"))
        } catch {
            context.events.send(.message("\(tenant.id): \(holder.application) could not be ended: \(error.message)"))
        }
    }

    /// Where the lock is; nil where nobody has a name: in the lock file.
    private func lockPlace() throws(DatabaseError) -> (session: any DatabaseSession, receipts: PostgresReceipts?)? {
        let connection = try connections.connection(
            to: target, isDirect: isDirect || runbook.needsSession, lockWait: context.lockWait(of: runbook))
        if connection.session.dialect == .postgresql { return (connection.session, connection.receipts) }
        return try connections.ledgerLockSession().map { ($0, nil) }
    }
}
