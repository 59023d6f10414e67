import DatabaseAccess
import LedgerStore
import RunbookModel

/// Batches in a SQLite file: receipt read, statement and receipt are one immediate transaction each. The tenant's lock is
/// held by the worker from the first to the last.
struct SQLiteBatch: BatchEngine {
    let runbook: Runbook
    let work: BatchWork
    let target: TenantTarget
    let ticket: ClaimTicket
    let session: any DatabaseSession
    let wait: FileWait

    var receiptsAreLocal: Bool { false }

    func perform(_ order: BatchOrder, judge: (BatchAnswer, BatchPosition) -> String?) -> BatchStep {
        let limits = [runbook.limits.statementTimeout, runbook.limits.runbookTimeout, order.limit].compactMap(\.self)
        var began: BatchPosition?
        let (step, expired) = TimeLimit.enforce(limits.min(), on: session.interrupter) { _ in
            attempt(order, judge, &began)
        }
        guard expired, case .ended(.interrupted) = step else { return step }
        var failure = runbook.failure(tenant: ticket.tenant, "a batch took longer than it may", clean: true)
        failure.file = work.script.path
        return .failed(.slow, failure, began)
    }

    private func attempt(
        _ order: BatchOrder, _ judge: (BatchAnswer, BatchPosition) -> String?, _ began: inout BatchPosition?
    ) -> BatchStep {
        do throws(DatabaseError) {
            // Ignored inside a transaction (sqlite.org/pragma.html#pragma_foreign_keys).
            try session.run("PRAGMA foreign_keys = \(runbook.foreignKeys ? "ON" : "OFF")")
            try Failpoint.reach(.sqliteBegin, .before)
            try session.run("BEGIN IMMEDIATE")
            try Failpoint.reach(.sqliteBegin, .after)
        } catch {
            return step(for: error, nil)
        }
        let step = inTransaction(order, judge, &began)
        if session.isInTransaction {
            do throws(DatabaseError) { try session.run("ROLLBACK") } catch { session.close() }
        }
        return step
    }

    private func inTransaction(
        _ order: BatchOrder, _ judge: (BatchAnswer, BatchPosition) -> String?, _ began: inout BatchPosition?
    ) -> BatchStep {
        let receipts = SQLiteReceipts(session: session)
        let refusal = ClaimRefusal(runbook: runbook, tenant: ticket.tenant)
        let position: BatchPosition
        do throws(DatabaseError) {
            if order.number == 1 {
                try receipts.ensureTable()
                if let (state, found) = try receipts.survey(ticket)?.disagreement {
                    return .ended(refusal.end(for: state, message: found))
                }
            }
            if let (state, found) = try receipts.examine(ticket) {
                return .ended(refusal.end(for: state, message: found))
            }
            position = try receipts.position(ticket)
        } catch {
            return step(for: error, nil)
        }
        began = position
        do throws(DatabaseError) {
            var reading = BatchReading(dialect: .sqlite)
            let start = ContinuousClock.now
            try Failpoint.reach(.batchStatement, .before)
            let result = try session.query(work.statement, parameters(order, position), as: context) {
                row throws(DatabaseError) in reading.take(row)
            }
            try Failpoint.reach(.batchStatement, .after)
            let worked = ContinuousClock.now - start
            let (answer, rows) = try reading.answer(result)
            if let complaint = judge(answer, position) { throw DatabaseError(.refused, complaint) }
            var next = BatchPosition(cursor: position.cursor, rows: position.rows + rows)
            if case .moved(_, let cursor?) = answer { next.cursor = cursor }
            return try close(receipts, answer, next, before: position, worked, order)
        } catch {
            return step(for: error, position)
        }
    }

    private func close(
        _ receipts: SQLiteReceipts, _ answer: BatchAnswer, _ position: BatchPosition, before: BatchPosition,
        _ worked: Duration, _ order: BatchOrder
    ) throws(DatabaseError) -> BatchStep {
        let isLast = answer == .finished
        if isLast, let verify = runbook.verify,
            let failure = try SQLiteVerify(runbook: runbook, verify: verify, tenant: ticket.tenant, clean: true)
                .failure(on: session)
        {
            return .failed(.statement, failure, before)
        }
        try Failpoint.reach(.sqliteReceipt, .before)
        try receipts.record(
            ticket, BatchRecord(state: isLast ? .succeeded : .running, position: position, batches: order.number))
        try Failpoint.reach(.sqliteReceipt, .after)
        try Failpoint.reach(.batchCommit, .before)
        // Whoever reads a file without a write-ahead log keeps it waiting; the work is not thrown away for that.
        try wait.insisting { () throws(DatabaseError) in try session.run("COMMIT") }
        try Failpoint.reach(.batchCommit, .after)
        return .committed(answer, position, before: before, worked: worked)
    }

    private func parameters(_ order: BatchOrder, _ position: BatchPosition) -> [DatabaseValue] {
        work.parameters.map { parameter in
            switch parameter {
            case .limit: DatabaseValue(order.size)
            case .cursor: SQLiteOrder.value(position.cursor)
            }
        }
    }

    private var context: ScriptContext {
        ScriptContext(
            tenant: ticket.tenant,
            settings: Dictionary(target.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            isTransactional: true)
    }

    private func step(for error: DatabaseError, _ position: BatchPosition?) -> BatchStep {
        let offset = error.position.map { (work.script.statements.first?.offset ?? 0) + $0 - 1 }
        let failure = place.failure(error, offset: offset, statement: 0, clean: true)
        switch error.code {
        case .interrupted: return .ended(.interrupted)
        case .busy: return .ended(.fileBusy)
        case .connectionLost: return .ended(.lost(failure))
        case .statement where error.claimState == .superseded: return .ended(.superseded)
        // What cannot be prepared (SQLITE_ERROR) is the statement's fault, whatever the rows.
        case .statement where error.engineCode != 1: return .failed(BatchTrouble(sqlState: nil), failure, position)
        default: return .failed(.statement, failure, position)
        }
    }

    // MARK: Questions

    func ask(_ query: SQLScript) throws(BatchProblem) -> BatchQueryValue {
        do throws(DatabaseError) {
            let text = query.statements.first?.text ?? query.text
            var value = DatabaseValue.null
            try session.run("BEGIN")
            defer { if session.isInTransaction { try? session.run("ROLLBACK") } }
            try session.run("PRAGMA query_only = ON")
            defer { try? session.run("PRAGMA query_only = OFF") }
            var isFirst = true
            try session.query(text, [], as: context) { row throws(DatabaseError) in
                if isFirst { value = row[0] }
                isFirst = false
            }
            let number = value.text.flatMap(Double.init)
            return BatchQueryValue(boolean: number.flatMap { [0, 1].contains($0) ? $0 == 1 : nil }, number: number)
        } catch {
            let place = ScriptPlace(script: query, tenant: ticket.tenant, runbook: runbook)
            let failure = place.failure(error, offset: nil, statement: 0, clean: true)
            switch error.code {
            case .interrupted: throw BatchProblem(failure: failure, end: .interrupted)
            case .busy: throw BatchProblem(failure: failure, end: .fileBusy)
            default: throw BatchProblem(failure: failure)
            }
        }
    }

    /// Files have no replicas.
    func replicationLag() throws(BatchProblem) -> Duration? { nil }

    func close(_ record: BatchEndRecord) {
        do throws(DatabaseError) {
            try session.withTransaction(["BEGIN IMMEDIATE"]) { () throws(DatabaseError) in
                try SQLiteReceipts(session: session).record(
                    ticket,
                    BatchRecord(state: .failed, position: record.position, batches: record.number, clean: record.clean))
            }
        } catch {
            // Then the receipt still says running, with the same cursor, which means the same to whoever comes next.
        }
    }

    private var place: ScriptPlace { ScriptPlace(script: work.script, tenant: ticket.tenant, runbook: runbook) }
}
