import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// One PostgreSQL tenant's rehearsal: one transaction under the tenant's lock, a savepoint for each runbook, statement by
/// statement with a look at the locks after each, then ROLLBACK. A crash at any moment leaves nothing.
struct PostgresRehearsal {
    let plan: RehearsalPlan
    let tenant: String
    let target: TenantTarget
    let session: any DatabaseSession
    let serverVersion: Int
    let context: RehearsalContext

    func run(_ course: inout RehearsalCourse) throws(DatabaseError) -> RehearsalSights {
        let asked = ContinuousClock.now
        var tried = asked
        let isTaken = try context.patiently { () throws(DatabaseError) in
            tried = .now
            try session.run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
            if try takesLock() { return true }
            try session.run("ROLLBACK")
            return false
        }
        guard isTaken else { throw DatabaseError(.busy, RehearsalContext.lockMessage) }
        let act = PostgresRehearsalAct(self, began: .now)
        context.limited(session) {
            course.go(through: plan, clock: { act.working }, perform: { act.perform($0) })
        }
        session.onNotice = nil
        do throws(DatabaseError) {
            // In one message: behind a pooler the next one may meet another server.
            if session.isUsable { try session.run("ROLLBACK; " + SessionReset.text) }
        } catch {
            // The server rolls back what has lost its client.
            session.close()
        }
        let held = act.elapsed
        return RehearsalSights(
            heldMS: held.milliseconds, locks: act.book.locks(endedAt: held), notInApply: tried - asked + act.looking)
    }

    /// The locks that apply takes, for the transaction: whoever reserves the workspace goes first.
    private func takesLock() throws(DatabaseError) -> Bool {
        let keys = context.keys(of: tenant)
        let row = try session.row(
            """
            SELECT CASE WHEN pg_catalog.pg_try_advisory_lock_shared(\(keys.gate)) THEN
                pg_catalog.pg_advisory_unlock_shared(\(keys.gate))
                AND pg_catalog.pg_try_advisory_xact_lock_shared(\(keys.workspace))
                AND pg_catalog.pg_try_advisory_xact_lock(\(keys.tenant)) ELSE false END
            """)
        return row?[0].boolean == true
    }
}
