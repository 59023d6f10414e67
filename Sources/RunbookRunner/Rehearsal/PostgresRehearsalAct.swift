import DatabaseAccess
import FoundationEssentials
import RunbookModel

/// The work between BEGIN and ROLLBACK.
final class PostgresRehearsalAct {
    private let rehearsal: PostgresRehearsal
    private let began: ContinuousClock.Instant
    private(set) var book = RelationLockBook()
    /// Spent on what apply does not do: looking, and keeping one transaction's runbooks apart.
    private(set) var looking: Duration = .zero
    private var sight: RelationSight?
    private var isFirst = true

    init(_ rehearsal: PostgresRehearsal, began: ContinuousClock.Instant) {
        self.rehearsal = rehearsal
        self.began = began
    }

    var elapsed: Duration { .now - began }
    var working: Duration { elapsed - looking }

    private var session: any DatabaseSession { rehearsal.session }
    private var context: RehearsalContext { rehearsal.context }
    private var deadline: ContinuousClock.Instant { began + context.maxHold }

    func perform(_ runbook: Runbook) -> RehearsalStepEnd {
        guard case .sql(let script) = runbook.action else { return .obstacle(.stopped, "no SQL") }
        guard !context.stop.isStopping else { return .obstacle(.stopped, "stopped") }
        guard ContinuousClock.now < deadline else { return .obstacle(.maxHold, context.holdMessage) }
        let place = ScriptPlace(script: script, tenant: rehearsal.tenant, runbook: runbook)
        let isPlainBuild = runbook.isRehearsedAsPlainBuild
        var rows = 0
        var building: Duration = .zero
        do throws(DatabaseError) {
            try session.run("SAVEPOINT muster_rehearsal")
            if !isFirst { try separate() }
            isFirst = false
            try prepare(runbook)
        } catch {
            return end(error) { place.failure($0, offset: nil, statement: nil, clean: true) }
        }
        do throws(DatabaseError) { if let failure = try misses(runbook) { return goBack(failure, runbook) } } catch {
            return end(error) { place.failure($0, offset: nil, statement: nil, clean: true) }
        }
        for (index, statement) in script.statements.enumerated() {
            do throws(DatabaseError) {
                if isPlainBuild, let twin = statement.plainTwin {
                    try separately { () throws(DatabaseError) in try session.refusesConcurrentBuild(twin) }
                }
                let asked = ContinuousClock.now
                let text = (isPlainBuild ? statement.plainTwin?.text : nil) ?? statement.text
                try session.run(text, as: nil) { _, result in rows += result.rowsAffected }
                building += .now - asked
                guard session.isInTransaction else { return leftTransaction(runbook) }
                if isPlainBuild { try hideLocks() } else { try look(runbook) }
            } catch {
                let offset = error.position.map { statement.offset + $0 - 1 }
                return end(error, runbook) { place.failure($0, offset: offset, statement: index, clean: true) }
            }
        }
        if isPlainBuild {
            do throws(DatabaseError) {
                let left = try separately { () throws(DatabaseError) in try session.invalidIndexes(of: script) }
                if !left.isEmpty { return goBack(place.leftBehind(left), runbook) }
            } catch {
                return end(error, runbook) { place.failure($0, offset: nil, statement: nil, clean: true) }
            }
        }
        if let verify = runbook.verify {
            do throws(DatabaseError) { try session.run(PostgresVerify.assertion(verify)) } catch {
                return end(error, runbook) {
                    PostgresVerify.failure($0, runbook: runbook, tenant: rehearsal.tenant, clean: true)
                }
            }
        }
        do throws(DatabaseError) {
            try session.run("SET CONSTRAINTS ALL IMMEDIATE")
            try look(runbook)
            try session.run("RELEASE SAVEPOINT muster_rehearsal")
            return .succeeded(rows: rows, plainBuild: isPlainBuild ? building : nil)
        } catch {
            return end(error, runbook) {
                var failure = place.failure($0, offset: nil, statement: nil, clean: true)
                failure.detail = [failure.detail, "A deferred constraint was checked at the end of the script."]
                    .compactMap(\.self).joined(separator: "\n")
                return failure
            }
        }
    }

    /// In apply the next runbook begins a transaction of its own: what the one before set does not reach it.
    private func separate() throws(DatabaseError) {
        let asked = ContinuousClock.now
        defer { looking += .now - asked }
        try session.run(SessionReset.keepingLocks)
        let deferred = try session.rows(
            """
            SELECT n.nspname::pg_catalog.text, c.conname::pg_catalog.text FROM pg_catalog.pg_constraint c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
            WHERE c.condeferred
            """)
        guard !deferred.isEmpty else { return }
        let names = try deferred.map { row throws(DatabaseError) in
            try PostgresText.quoteIdentifier(row[0].text ?? "") + "."
                + PostgresText.quoteIdentifier(row[1].text ?? "")
        }
        try session.run("SET CONSTRAINTS \(names.joined(separator: ", ")) DEFERRED")
    }

    private func prepare(_ runbook: Runbook) throws(DatabaseError) {
        var limits = runbook.limits
        let left = max(.milliseconds(1), deadline - .now)
        // A little more than is left: our own alarm is to ring first.
        // It is not applied to a concurrent build either.
        if runbook.isRehearsedAsPlainBuild { limits.statementTimeout = nil }
        limits.statementTimeout = min(limits.statementTimeout ?? left + .seconds(1), left + .seconds(1))
        limits.lockTimeout = min(limits.lockTimeout ?? left, left)
        let settings = PostgresSettings(
            target: rehearsal.target, limits: limits, serverVersion: rehearsal.serverVersion)
        // Should this process stand still, the server ends what it holds.
        let idle = "SET LOCAL idle_in_transaction_session_timeout = \((left + .seconds(5)).milliseconds);"
        try session.run(idle + "\n" + settings.text(isLocal: true).text)
    }

    private func misses(_ runbook: Runbook) throws(DatabaseError) -> Failure? {
        let settings = PostgresSettings(
            target: rehearsal.target, limits: runbook.limits, serverVersion: rehearsal.serverVersion)
        if let assertion = try settings.assertion() {
            do throws(DatabaseError) { try session.run(assertion) } catch {
                guard error.sqlState == "22P02" else { throw error }
                let found = error.message.components(separatedBy: "current schema: ").last ?? ""
                return runbook.failure(
                    tenant: rehearsal.tenant,
                    "the target is not the tenant's schema: \(rehearsal.target.describedSchema); found \(found)",
                    clean: true, hint: "Create the schema, or grant USAGE on it, or correct the tenant's source.")
            }
        }
        if sight == nil {
            let asked = ContinuousClock.now
            defer { looking += .now - asked }
            sight = try RelationSight(session)
        }
        return nil
    }

    private func look(_ runbook: Runbook) throws(DatabaseError) {
        guard let sight else { return }
        try separately { () throws(DatabaseError) in
            book.look(try sight.look(), runbook: runbook.id, at: elapsed)
        }
    }

    /// The locks of a plain build are not those of the concurrent one.
    private func hideLocks() throws(DatabaseError) {
        guard let sight else { return }
        try separately { () throws(DatabaseError) in book.hide(try sight.look()) }
    }

    /// Does what only a rehearsal does.
    private func separately<Answer>(
        _ body: () throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        let asked = ContinuousClock.now
        defer { looking += .now - asked }
        return try body()
    }

    private func end(
        _ error: DatabaseError, _ runbook: Runbook? = nil, _ failure: (DatabaseError) -> Failure
    ) -> RehearsalStepEnd {
        context.obstacle(in: error, deadline: deadline) ?? goBack(failure(error), runbook)
    }

    private func leftTransaction(_ runbook: Runbook?) -> RehearsalStepEnd {
        .obstacle(
            .leftTransaction,
            "\(runbook?.id ?? "a script") ended the transaction it ran in: look what of it remains, and remove the "
                + "transaction control")
    }

    /// Takes back what the runbook did, so that others can go on.
    private func goBack(_ failure: Failure, _ runbook: Runbook?) -> RehearsalStepEnd {
        do throws(DatabaseError) {
            try session.run("ROLLBACK TO SAVEPOINT muster_rehearsal; RELEASE SAVEPOINT muster_rehearsal")
            if let runbook { try look(runbook) }
            return .failed(failure)
        } catch  where error.sqlState == "3B001" || error.sqlState == "25P01" {
            // The savepoint, or the transaction, is not there any more.
            return leftTransaction(runbook)
        } catch {
            return context.obstacle(in: error, deadline: deadline) ?? .obstacle(.unreachable, error.message)
        }
    }
}
