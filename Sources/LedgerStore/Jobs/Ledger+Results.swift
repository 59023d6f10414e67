package import DatabaseAccess
import Foundation
package import RunbookModel

extension Ledger {
    /// Writes what became of a batch of jobs, in one transaction: job rows, execution rows, history.
    ///
    /// Only jobs that still belong to (runner, attempt) are written, and only their executions; a finished identity is
    /// never overwritten by a failure, which stands in the history alone.
    /// - Returns: how many jobs were written. Fewer than given means that this runner was superseded on some.
    package func write(_ results: [JobResult], run: String, runner: String) throws(DatabaseError) -> Int {
        guard !results.isEmpty else { return 0 }
        let results = results.map(\.withoutNUL)
        try Failpoint.reach(.writeResults, .before)
        let written =
            switch dialect {
            case .postgresql: try writeAtOnce(results, run: run, runner: runner)
            case .sqlite: try writeInOrder(results, run: run, runner: runner)
            }
        try Failpoint.reach(.writeResults, .after)
        return written
    }

    // MARK: PostgreSQL, one statement

    private func writeAtOnce(_ results: [JobResult], run: String, runner: String) throws(DatabaseError) -> Int {
        let jobs = results.map { result in
            JobRow(
                tenant: result.job.tenant, claim: result.job.attempt, state: result.state.rawValue,
                reason: result.reason?.rawValue, drifted: result.hasDrifted, message: result.message,
                stage: result.nextStage)
        }
        let executions = results.flatMap { result in
            result.executions.filter(\.isWorthWriting).map { ExecutionRow($0, of: result.job) }
        }
        let written = try row(
            """
            with x as (
                select * from pg_catalog.jsonb_to_recordset($4::jsonb) as x(
                    tenant text, claim integer, state text, reason text, drifted boolean, message text,
                    stage integer)),
            j as (
                update \(sql.jobs) j set state = x.state, reason = x.reason, drifted = j.drifted or x.drifted,
                    message = x.message, stage = coalesce(x.stage, j.stage),
                    runner = case when x.state = 'queued' then null else j.runner end,
                    finished_at = case when x.state = 'queued' then null else pg_catalog.clock_timestamp() end
                from x
                where j.run_id = $2 and j.tenant = x.tenant and j.runner = $3 and j.attempt = x.claim
                  and j.state = 'running'
                returning j.tenant, j.attempt as claim),
            y as (
                select y.* from pg_catalog.jsonb_to_recordset($5::jsonb) as y(
                    tenant text, claim integer, runbook text, key text, checksum text, state text, clean boolean,
                    tries integer, rows_affected bigint, duration_ms bigint, sqlstate text, message text, detail text,
                    hint text, file text, line integer, statement text, output text)
                join j on j.tenant = y.tenant and j.claim = y.claim),
            e as (
                insert into \(sql.executions) as e (workspace, tenant, runbook, key, state, clean, attempt, checksum,
                    run_id, runner, started_at, finished_at, rows_affected, sqlstate, message, detail, hint, file,
                    line, statement)
                select $1, tenant, runbook, key, state, clean, tries, checksum, $2, $3,
                    pg_catalog.clock_timestamp() - duration_ms * interval '1 millisecond',
                    pg_catalog.clock_timestamp(), rows_affected, sqlstate, message, detail, hint, file, line, statement
                from y order by tenant, runbook, key
                on conflict (workspace, tenant, runbook, key) do update set
                    \(Self.executionUpdate)
                where \(Self.mayOverwrite(run: "$2", runner: "$3"))
                returning e.tenant, e.runbook, e.key, e.attempt, e.started_at, e.finished_at),
            a as (
                insert into \(sql.attempts) (workspace, tenant, runbook, key, attempt, run_id, runner, state, clean,
                    checksum, started_at, finished_at, duration_ms, rows_affected, sqlstate, message, detail, hint,
                    file, line, statement, output)
                select $1, y.tenant, y.runbook, y.key, coalesce(e.attempt, o.attempt, y.tries), $2, $3, y.state,
                    y.clean, y.checksum,
                    coalesce(e.started_at, pg_catalog.clock_timestamp() - y.duration_ms * interval '1 millisecond'),
                    coalesce(e.finished_at, pg_catalog.clock_timestamp()), y.duration_ms, y.rows_affected, y.sqlstate,
                    y.message, y.detail, y.hint, y.file, y.line, y.statement, y.output
                from y left join e on e.tenant = y.tenant and e.runbook = y.runbook and e.key = y.key
                left join \(sql.executions) o on o.workspace = $1 and o.tenant = y.tenant and o.runbook = y.runbook
                    and o.key = y.key
                where e.tenant is not null or y.state <> 'succeeded')
            select count(*) from j
            """,
            [
                .text(workspace), .text(run), .text(runner), .text(Self.json(jobs)), .text(Self.json(executions)),
            ])
        return written?[0].integer ?? 0
    }

    // MARK: SQLite, row by row in one transaction

    private func writeInOrder(_ results: [JobResult], run: String, runner: String) throws(DatabaseError) -> Int {
        try writing { () throws(DatabaseError) -> Int in
            var written = 0
            for result in results where try writeJob(result, run: run, runner: runner) {
                written += 1
                for execution in result.executions where execution.isWorthWriting {
                    try writeExecution(execution, of: result.job, run: run, runner: runner)
                }
            }
            return written
        }
    }

    private func writeJob(_ result: JobResult, run: String, runner: String) throws(DatabaseError) -> Bool {
        let backInQueue = result.state == .queued
        return try execute(
            """
            update muster_jobs set state = $4, reason = $5, drifted = max(drifted, $6), message = $7,
                stage = coalesce($8, stage), runner = \(backInQueue ? "null" : "runner"),
                finished_at = \(backInQueue ? "null" : sql.now)
            where run_id = $1 and tenant = $2 and runner = $3 and attempt = $9 and state = 'running'
            """,
            [
                .text(run), .text(result.job.tenant), .text(runner), .text(result.state.rawValue),
                DatabaseValue(result.reason?.rawValue), DatabaseValue(result.hasDrifted ? 1 : 0),
                DatabaseValue(result.message), DatabaseValue(result.nextStage), DatabaseValue(result.job.attempt),
            ]
        ).rowsAffected == 1
    }

    private func writeExecution(
        _ outcome: ExecutionOutcome, of job: ClaimedJob, run: String, runner: String
    ) throws(DatabaseError) {
        let failure = outcome.failure
        let details: [DatabaseValue] = [
            DatabaseValue(outcome.rowsAffected), DatabaseValue(failure?.sqlstate), DatabaseValue(failure?.message),
            DatabaseValue(failure?.detail), DatabaseValue(failure?.hint), DatabaseValue(failure?.file),
            DatabaseValue(failure?.line), DatabaseValue(failure?.statement),
        ]
        let written = try row(
            """
            insert into muster_executions as e (workspace, run_id, runner, tenant, runbook, key, state, clean, checksum,
                attempt, started_at, finished_at, rows_affected, sqlstate, message, detail, hint, file, line, statement)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \(sql.ago(milliseconds: "$11")), \(sql.now),
                $12, $13, $14, $15, $16, $17, $18, $19)
            on conflict (workspace, tenant, runbook, key) do update set
                \(Self.executionUpdate)
            where \(Self.mayOverwrite(run: "$2", runner: "$3"))
            returning attempt, started_at, finished_at
            """,
            [
                .text(workspace), .text(run), .text(runner), .text(job.tenant), .text(outcome.identity.runbook),
                .text(outcome.identity.key), .text(outcome.state.rawValue), DatabaseValue(failure?.clean),
                .text(outcome.checksum), DatabaseValue(outcome.uncountedTries), DatabaseValue(outcome.durationMS),
            ] + details)
        let history: [DatabaseValue]
        if let written {
            history = [written[0], written[1], written[2]]
        } else if outcome.state != .succeeded,
            let kept = try row(
                """
                select attempt, \(sql.ago(milliseconds: "$5")), \(sql.now) from muster_executions
                where workspace = $1 and tenant = $2 and runbook = $3 and key = $4
                """,
                [
                    .text(workspace), .text(job.tenant), .text(outcome.identity.runbook), .text(outcome.identity.key),
                    DatabaseValue(outcome.durationMS),
                ])
        {
            history = [kept[0], kept[1], kept[2]]
        } else {
            return
        }
        try execute(
            """
            insert into muster_attempts (workspace, run_id, runner, tenant, runbook, key, state, clean, checksum,
                duration_ms, rows_affected, sqlstate, message, detail, hint, file, line, statement, output,
                attempt, started_at, finished_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
            """,
            [
                .text(workspace), .text(run), .text(runner), .text(job.tenant), .text(outcome.identity.runbook),
                .text(outcome.identity.key), .text(outcome.state.rawValue), DatabaseValue(failure?.clean),
                .text(outcome.checksum), DatabaseValue(outcome.durationMS),
            ] + details + [DatabaseValue(outcome.output)] + history)
    }

    // MARK: What both engines share

    /// A row that was written beside the work gets its details; any other is replaced.
    private static let executionUpdate: String = {
        let kept = "e.state in \(LedgerSQL.done) and excluded.state = e.state and e.checksum = excluded.checksum"
        return """
            started_at = case when \(kept) then e.started_at else excluded.started_at end,
            finished_at = case when \(kept) then e.finished_at else excluded.finished_at end,
            state = excluded.state, clean = excluded.clean, checksum = excluded.checksum,
            attempt = e.attempt + excluded.attempt,
            run_id = excluded.run_id, runner = excluded.runner, rows_affected = excluded.rows_affected,
            sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail,
            hint = excluded.hint, file = excluded.file, line = excluded.line,
            statement = excluded.statement
            """
    }()

    /// A finished identity is touched only by the runner that finished it, or by one that ran another body.
    private static func mayOverwrite(run: String, runner: String) -> String {
        """
        e.state not in \(LedgerSQL.done)
        or (excluded.state = 'succeeded' and e.checksum <> excluded.checksum)
        or (excluded.state = 'succeeded' and e.run_id = \(run) and e.runner = \(runner))
        """
    }

    private struct JobRow: Encodable {
        var tenant: String
        var claim: Int
        var state: String
        var reason: String?
        var drifted: Bool
        var message: String?
        var stage: Int?
    }

    private struct ExecutionRow: Encodable {
        var tenant: String
        var claim: Int
        var runbook: String
        var key: String
        var checksum: String
        var state: String
        var clean: Bool?
        var tries: Int
        var rowsAffected: Int?
        var durationMS: Int
        var sqlstate: String?
        var message: String?
        var detail: String?
        var hint: String?
        var file: String?
        var line: Int?
        var statement: String?
        var output: String?

        init(_ outcome: ExecutionOutcome, of job: ClaimedJob) {
            tenant = job.tenant
            claim = job.attempt
            runbook = outcome.identity.runbook
            key = outcome.identity.key
            checksum = outcome.checksum
            state = outcome.state.rawValue
            clean = outcome.failure?.clean
            tries = outcome.uncountedTries
            rowsAffected = outcome.rowsAffected
            durationMS = outcome.durationMS
            sqlstate = outcome.failure?.sqlstate
            message = outcome.failure?.message
            detail = outcome.failure?.detail
            hint = outcome.failure?.hint
            file = outcome.failure?.file
            line = outcome.failure?.line
            statement = outcome.failure?.statement
            output = outcome.output
        }
    }

    private static func json(_ rows: [some Encodable]) throws(DatabaseError) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        do { return String(decoding: try encoder.encode(rows), as: UTF8.self) } catch {
            throw DatabaseError(.misuse, "results could not be encoded: \(error)")
        }
    }
}

extension JobResult {
    /// U+0000 has no place in jsonb (PostgreSQL manual, 8.14); it comes from a hook's output.
    fileprivate var withoutNUL: JobResult {
        var result = self
        result.message = result.message?.withoutNUL
        for index in result.executions.indices {
            result.executions[index].output = result.executions[index].output?.withoutNUL
            guard let failure = result.executions[index].failure else { continue }
            result.executions[index].failure?.message = failure.message.withoutNUL
            result.executions[index].failure?.detail = failure.detail?.withoutNUL
            result.executions[index].failure?.hint = failure.hint?.withoutNUL
            result.executions[index].failure?.statement = failure.statement?.withoutNUL
        }
        return result
    }
}

extension String {
    fileprivate var withoutNUL: String {
        guard utf8.contains(0) else { return self }
        return String(UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{fffd}" : $0 }))
    }
}

extension ExecutionOutcome {
    /// Whether the ledger learns anything from it: what was found done there, or was never reached, changes nothing.
    fileprivate var isWorthWriting: Bool { !wasDone || !isRecorded }

    /// How many tries the ledger's row does not count yet.
    fileprivate var uncountedTries: Int { tries - (isRecorded ? 1 : 0) }
}
