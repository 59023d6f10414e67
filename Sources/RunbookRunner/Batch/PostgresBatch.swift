import DatabaseAccess
import LedgerStore
import RunbookModel

/// Batches in a PostgreSQL tenant: claim, statement, receipt and COMMIT are one transaction each.
///
/// Each claims anew, under transaction-scoped locks and its fence, and reads its cursor there. The session holds the
/// tenant's lock as well, so that nobody works in between.
struct PostgresBatch: BatchEngine {
    let runbook: Runbook
    let work: BatchWork
    let target: TenantTarget
    let ticket: ClaimTicket
    let connection: TenantConnection
    let receipts: PostgresReceipts

    var receiptsAreLocal: Bool { receipts.isLocal }

    func perform(_ order: BatchOrder, judge: (BatchAnswer, BatchPosition) -> String?) -> BatchStep {
        var began: BatchPosition?
        let (step, expired) = TimeLimit.enforce(runbook.limits.runbookTimeout, on: connection.session.interrupter) {
            _ in
            transaction(order, judge, &began)
        }
        guard expired, case .ended(.interrupted) = step else { return step }
        let limit = runbook.limits.runbookTimeout.map { DurationText.text($0) } ?? ""
        return .failed(.slow, failure("a batch took longer than runbook_timeout (\(limit))"), began)
    }

    private func transaction(
        _ order: BatchOrder, _ judge: (BatchAnswer, BatchPosition) -> String?, _ began: inout BatchPosition?
    ) -> BatchStep {
        let session = connection.session
        let position: BatchPosition
        do throws(DatabaseError) { position = try open(order) } catch {
            _ = connection.recoverKeepingLocks()
            if let state = error.claimState {
                return .ended(
                    ClaimRefusal(runbook: runbook, tenant: ticket.tenant).end(for: state, message: error.message))
            }
            if error.message.contains("current schema: ") {
                return .failed(
                    .statement, failure("the target is not the tenant's schema: \(target.describedSchema)"), nil)
            }
            return step(for: error, failure: place.failure(error, offset: nil, statement: nil, clean: true), nil)
        }
        began = position
        let answer: BatchAnswer
        let rows: Int
        let worked: Duration
        let start = ContinuousClock.now
        do throws(DatabaseError) {
            var reading = BatchReading(dialect: .postgresql)
            try Failpoint.reach(.batchStatement, .before)
            let result = try session.query(work.statement, parameters(order, position)) { row throws(DatabaseError) in
                reading.take(row)
            }
            try Failpoint.reach(.batchStatement, .after)
            worked = ContinuousClock.now - start
            (answer, rows) = try reading.answer(result)
            if let complaint = judge(answer, position) { throw DatabaseError(.refused, complaint) }
        } catch {
            _ = connection.recoverKeepingLocks()
            let offset = error.position.map { (work.script.statements.first?.offset ?? 0) + $0 - 1 }
            return step(for: error, failure: place.failure(error, offset: offset, statement: 0, clean: true), position)
        }
        var next = BatchPosition(cursor: position.cursor, rows: position.rows + rows)
        if case .moved(_, let cursor?) = answer { next.cursor = cursor }
        do throws(DatabaseError) {
            try close(answer, next, order)
            return .committed(answer, next, before: position, worked: worked)
        } catch {
            _ = connection.recoverKeepingLocks()
            if error.claimState == .superseded { return .ended(.superseded) }
            if error.message.contains("verify answered ")
                || (answer == .finished && runbook.verify != nil && error.resultsBefore == 0)
            {
                let failure = PostgresVerify.failure(error, runbook: runbook, tenant: ticket.tenant, clean: true)
                return error.code == .statement
                    ? .failed(.statement, failure, next) : step(for: error, failure: failure, next)
            }
            return step(for: error, failure: place.failure(error, offset: nil, statement: nil, clean: true), position)
        }
    }

    /// Begins, claims, and takes the tenant's settings.
    ///
    /// - Returns: where the batch begins.
    private func open(_ order: BatchOrder) throws(DatabaseError) -> BatchPosition {
        var ticket = ticket
        // The tenant's receipts were compared with the ledger at the first claim.
        if order.number > 1 { ticket.proven = nil }
        let claim = try receipts.claim(ticket)
        let text = """
            \(receipts.sql.begin);
            \(claim.text)
            \(try receipts.position(ticket))
            \(try settings(order.limit).text(isLocal: true).text)
            \(try settings(order.limit).assertion() ?? "")
            """
        var position = BatchPosition()
        try connection.session.run(text, as: nil) { index, result in
            guard index == claim.statements + 1, let row = result.firstRow else { return }
            position = BatchPosition(cursor: row[0].text, rows: row[1].integer ?? 0)
        }
        return position
    }

    /// Writes the receipt and commits.
    private func close(_ answer: BatchAnswer, _ position: BatchPosition, _ order: BatchOrder) throws(DatabaseError) {
        let isLast = answer == .finished
        let record = BatchRecord(state: isLast ? .succeeded : .running, position: position, batches: order.number)
        let verify = isLast ? runbook.verify.map(PostgresVerify.assertion) : nil
        let text = """
            \(verify ?? "")
            SET CONSTRAINTS ALL IMMEDIATE; SET SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = pg_catalog, pg_temp;
            \(try receipts.record(ticket, record))
            COMMIT;
            """
        var tag = ""
        try Failpoint.reach(.batchCommit, .before)
        try connection.session.run(text, as: nil) { _, result in tag = result.tag }
        try Failpoint.reach(.batchCommit, .after)
        guard tag == "COMMIT" else {
            throw DatabaseError(
                .statement, "COMMIT was answered by \"\(tag)\": the batch was not kept", sqlState: "25000")
        }
    }

    private func parameters(_ order: BatchOrder, _ position: BatchPosition) -> [DatabaseValue] {
        work.parameters.map { parameter in
            switch parameter {
            case .limit: DatabaseValue(order.size)
            case .cursor: DatabaseValue(position.cursor)
            }
        }
    }

    private func settings(_ limit: Duration?) -> PostgresSettings {
        var limits = runbook.limits
        limits.statementTimeout = [limits.statementTimeout, limit].compactMap(\.self).min()
        return PostgresSettings(target: target, limits: limits, serverVersion: connection.place?.version ?? 0)
    }

    private func step(for error: DatabaseError, failure: Failure, _ position: BatchPosition?) -> BatchStep {
        switch error.code {
        case .interrupted: .ended(.interrupted)
        case .connectionLost, .unreachable: .ended(.lost(failure))
        case .statement: .failed(BatchTrouble(sqlState: error.sqlState ?? "XX000"), failure, position)
        default: .failed(.statement, failure, position)
        }
    }

    // MARK: Questions

    func ask(_ query: SQLScript) throws(BatchProblem) -> BatchQueryValue {
        do throws(DatabaseError) {
            let value = try connection.session.withTransaction([receipts.sql.beginReadOnly]) {
                () throws(DatabaseError) -> DatabaseValue in
                try connection.session.run(try settings(nil).text(isLocal: true).text)
                return try connection.session.row(query.statements.first?.text ?? query.text)?[0] ?? .null
            }
            if case .boolean(let truth) = value { return BatchQueryValue(boolean: truth, number: nil) }
            return BatchQueryValue(boolean: nil, number: value.text.flatMap(Double.init))
        } catch {
            throw problem(error, ScriptPlace(script: query, tenant: ticket.tenant, runbook: runbook))
        }
    }

    func replicationLag() throws(BatchProblem) -> Duration? {
        let row: DatabaseRow?
        do throws(DatabaseError) {
            // Without the right to see them, the columns of other roles' connections are null.
            row = try connection.session.row(
                """
                SELECT pg_catalog.count(*) FILTER (WHERE state IS NULL),
                    (extract(epoch FROM pg_catalog.max(replay_lag)
                        FILTER (WHERE state = ANY ('{streaming,catchup}'::pg_catalog.text[]))) * 1000)::pg_catalog.int8
                FROM pg_catalog.pg_stat_replication
                """)
        } catch { throw problem(error, place) }
        if let hidden = row?[0].integer, hidden > 0 {
            throw BatchProblem(
                failure: runbook.failure(
                    tenant: ticket.tenant,
                    "max_lag cannot be watched: this role may not see how far replicas are behind",
                    clean: true, hint: "GRANT pg_monitor TO the role that Muster connects as, or leave max_lag out."))
        }
        return row?[1].integer.map { .milliseconds($0) }
    }

    func close(_ record: BatchEndRecord) {
        guard !receiptsAreLocal, connection.session.isUsable else { return }
        do throws(DatabaseError) {
            var ticket = ticket
            ticket.proven = nil
            let end = BatchRecord(
                state: .failed, position: record.position, batches: record.number, clean: record.clean)
            try connection.session.run(
                """
                \(receipts.sql.begin);
                \(try receipts.claim(ticket).text)
                SET LOCAL search_path = pg_catalog, pg_temp;
                \(try receipts.record(ticket, end))
                COMMIT;
                """)
        } catch {
            // Then the receipt still says running, with the same cursor, which means the same to whoever comes next.
            _ = connection.recoverKeepingLocks()
        }
    }

    private func problem(_ error: DatabaseError, _ place: ScriptPlace) -> BatchProblem {
        _ = connection.recoverKeepingLocks()
        let failure = place.failure(
            error, offset: error.position.map { $0 - 1 + (place.script.statements.first?.offset ?? 0) }, statement: 0,
            clean: true)
        switch error.code {
        case .interrupted: return BatchProblem(failure: failure, end: .interrupted)
        case .connectionLost, .unreachable: return BatchProblem(failure: failure, end: .lost(failure))
        default: return BatchProblem(failure: failure)
        }
    }

    private func failure(_ message: String) -> Failure {
        var failure = runbook.failure(tenant: ticket.tenant, message, clean: true)
        failure.file = work.script.path
        return failure
    }

    private var place: ScriptPlace { ScriptPlace(script: work.script, tenant: ticket.tenant, runbook: runbook) }
}
