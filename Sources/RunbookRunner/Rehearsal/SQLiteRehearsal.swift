import DatabaseAccess
import LedgerStore
import RunbookModel

/// One SQLite tenant's rehearsal: an immediate transaction, a savepoint for each runbook, then ROLLBACK. The tenant's lock
/// is held by the worker already. The file itself is the one lock there is: it is held from BEGIN to ROLLBACK.
struct SQLiteRehearsal {
    let plan: RehearsalPlan
    let tenant: String
    let target: TenantTarget
    let session: any DatabaseSession
    let context: RehearsalContext

    func run(_ course: inout RehearsalCourse) throws(DatabaseError) -> RehearsalSights {
        let foreignKeys = plan.steps.first { $0.disposition == .rehearse }?.runbook.foreignKeys == true
        // Ignored inside a transaction (sqlite.org/pragma.html#pragma_foreign_keys).
        try session.run("PRAGMA foreign_keys = \(foreignKeys ? "ON" : "OFF")")
        try session.run("BEGIN IMMEDIATE")
        let began = ContinuousClock.now
        context.limited(session) {
            course.go(
                through: plan, clock: { .now - began }, perform: { perform($0, deadline: began + context.maxHold) })
        }
        do throws(DatabaseError) {
            if session.isUsable, session.isInTransaction { try session.run("ROLLBACK") }
        } catch {
            // Closing rolls back.
            session.close()
        }
        return RehearsalSights(heldMS: (ContinuousClock.now - began).milliseconds)
    }

    private func perform(_ runbook: Runbook, deadline: ContinuousClock.Instant) -> RehearsalStepEnd {
        guard case .sql(let script) = runbook.action else { return .obstacle(.stopped, "no SQL") }
        guard !context.stop.isStopping else { return .obstacle(.stopped, "stopped") }
        guard ContinuousClock.now < deadline else { return .obstacle(.maxHold, context.holdMessage) }
        let place = ScriptPlace(script: script, tenant: tenant, runbook: runbook)
        let settings = Dictionary(target.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let scene = ScriptContext(tenant: tenant, settings: settings, isTransactional: true)
        var rows = 0
        var isInScript = false
        do throws(DatabaseError) {
            try session.run("SAVEPOINT muster_rehearsal")
            let looksAtKeys = script.changesSchema || runbook.foreignKeys
            let before = looksAtKeys ? try ForeignKeyViolation.all(in: session) : []
            isInScript = true
            try session.run(script.text, as: scene) { _, result in rows += result.rowsAffected }
            isInScript = false
            if looksAtKeys {
                let new = ForeignKeyViolation.added(to: before, in: try ForeignKeyViolation.all(in: session))
                if !new.isEmpty {
                    let list = new.prefix(3).map(\.description).joined(separator: "; ")
                    var failure = runbook.failure(
                        tenant: tenant, "foreign keys are violated after the script: \(list)", clean: true,
                        hint: "Keep the referenced rows, or correct the order of the rebuild.")
                    failure.file = script.path
                    return goBack(failure, deadline)
                }
            }
            if let verify = runbook.verify,
                let failure = try SQLiteVerify(runbook: runbook, verify: verify, tenant: tenant, clean: true)
                    .failure(on: session)
            {
                return goBack(failure, deadline)
            }
            if runbook.foreignKeys { try session.run("PRAGMA defer_foreign_keys = OFF") }
            try session.run("RELEASE muster_rehearsal")
            return .succeeded(rows: rows)
        } catch {
            if let obstacle = context.obstacle(in: error, deadline: deadline) { return obstacle }
            let failure = place.failure(
                error, offset: isInScript ? error.position.map { $0 - 1 } : nil,
                statement: isInScript ? error.resultsBefore : nil, clean: true)
            return goBack(failure, deadline)
        }
    }

    /// Takes back what the runbook did, so that others can go on. Some errors have taken back everything
    /// (sqlite.org/lang_transaction.html, "Response To Errors").
    private func goBack(_ failure: Failure, _ deadline: ContinuousClock.Instant) -> RehearsalStepEnd {
        do throws(DatabaseError) {
            guard session.isInTransaction else {
                throw DatabaseError(.statement, "SQLite rolled everything back: \(failure.message)")
            }
            try session.run("ROLLBACK TO muster_rehearsal; RELEASE muster_rehearsal")
            return .failed(failure)
        } catch {
            return context.obstacle(in: error, deadline: deadline) ?? .obstacle(.unreachable, error.message)
        }
    }
}
