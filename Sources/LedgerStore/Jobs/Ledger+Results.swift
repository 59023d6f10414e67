package import DatabaseAccess
import FoundationEssentials
package import RunbookModel

extension Ledger {
    /// Writes what became of a batch of jobs, in one transaction: job rows, execution rows, history.
    ///
    /// What was committed without a wait for the disk is looked for: a job whose work the server has lost is given back.
    /// Only jobs that still belong to (runner, attempt) are written, and only their executions; a finished identity is
    /// never overwritten by a failure, which stands in the history alone. What another runner of this run had committed,
    /// and died before it wrote, counts as done in this run.
    /// Failures are judged in the same transaction: what passes a rule's limit stops the run.
    ///
    /// - Parameter rules: of each wave; none when nothing stops the run.
    package func write(
        _ results: [JobResult], run: String, runner: String, under rules: [StopRule]
    ) throws(DatabaseError) -> WrittenResults {
        guard !results.isEmpty else { return WrittenResults() }
        let results = results.map(\.withoutNUL)
        try Failpoint.reach(.writeResults, .before)
        if !rules.contains(where: \.isInForce),
            let (written, lost) = try writePlainly(results, run: run, runner: runner)
        {
            try Failpoint.reach(.writeResults, .after)
            var answer = WrittenResults()
            answer.count = results.count { written[$0.job.tenant] == $0.job.attempt }
            answer.lost = lost
            return answer
        }
        let answer = try writing { () throws(DatabaseError) in
            let lost = try lost(among: results, run: run, runner: runner)
            let results = results.map { lost.contains($0.job.tenant) ? JobResult(job: $0.job, state: .queued) : $0 }
            // The run's row before its jobs', in the order of who joins a run: his new jobs wait for rows that are changed
            // here, and a rule may want the run's.
            if rules.contains(where: \.isInForce), results.contains(where: \.hasFailed) { _ = try lock(run) }
            let written = try writeJobs(results, run: run, runner: runner)
            let ended = results.filter { written[$0.job.tenant] == $0.job.attempt }.flatMap { result in
                result.executions.filter(\.isWorthWriting).map { (outcome: $0, job: result.job) }
            }
            if !ended.isEmpty {
                let unwritten = ended.filter { !$0.outcome.stands }.map { ExecutionRow($0.outcome, of: $0.job) }
                if !unwritten.isEmpty {
                    try execute(over: unwritten, [.text(workspace)], sql.lift)
                    try writeExecutions(unwritten, run: run, runner: runner)
                }
                try writeHistory(ended.map { ExecutionRow($0.outcome, of: $0.job) }, run: run, runner: runner)
            }
            // Claimed before: by a runner that may have died behind a commit.
            try writeForgotten(written.filter { $0.value > 1 }.keys.sorted(), run: run)
            var answer = try judge(results.filter { written[$0.job.tenant] == $0.job.attempt }, run: run, rules)
            answer.lost = written.keys.count { lost.contains($0) }
            return answer
        }
        try Failpoint.reach(.writeResults, .after)
        return answer
    }

    /// - Returns: as `writePlain`; nil when the results are not plain.
    private func writePlainly(
        _ results: [JobResult], run: String, runner: String
    ) throws(DatabaseError) -> (attempts: [String: Int], lost: Int)? {
        guard dialect == .postgresql, results.allSatisfy(\.isPlain) else { return nil }
        guard results.contains(where: { $0.job.attempt > 1 }) else {
            return try writePlain(results, run: run, runner: runner)
        }
        return try writing { () throws(DatabaseError) in
            let written = try writePlain(results, run: run, runner: runner)
            try writeForgotten(written.attempts.filter { $0.value > 1 }.keys.sorted(), run: run)
            return written
        }
    }

    /// Whether a job that is given back is not to begin again: its tenant was cancelled meanwhile.
    static let isCancelled = "x.state = 'queued' and j.reason = 'stopped'"

    /// - Returns: the attempts of the jobs that were still ours, by tenant.
    private func writeJobs(
        _ results: [JobResult], run: String, runner: String
    ) throws(DatabaseError) -> [String: Int] {
        let rows = try rows(over: results.map(JobRow.init), [.text(run), .text(runner), .text(workspace)]) { rows in
            """
            update \(sql.jobs) as j set drifted = j.drifted or x.drifted,
                reason = case when x.state = 'queued' then j.reason else x.reason end,
                state = case when x.state = 'skipped' and x.message is null and exists (
                    select 1 from \(sql.executions) e
                    where e.workspace = $3 and e.tenant = x.tenant and e.run_id = $1
                        and e.state in \(LedgerSQL.ended))
                    then 'succeeded' when \(Self.isCancelled) then 'cancelled' else x.state end,
                message = case when \(Self.isCancelled) then j.message else x.message end,
                stage = coalesce(x.stage, j.stage), cause = x.cause,
                runner = case when x.state = 'queued' then null else j.runner end,
                finished_at = case when x.state <> 'queued' or \(Self.isCancelled) then \(sql.clock) end
            from \(rows) as x
            where j.run_id = $1 and j.tenant = x.tenant and j.runner = $2 and j.attempt = x.claim and j.state = 'running'
            returning \(dialect == .postgresql ? "j.tenant, j.attempt" : "tenant, attempt")
            """
        }
        return Dictionary(rows.map { ($0[0].text ?? "", $0[1].integer ?? 0) }, uniquingKeysWith: { $1 })
    }

    private func writeExecutions(_ rows: [ExecutionRow], run: String, runner: String) throws(DatabaseError) {
        try execute(over: rows, [.text(workspace), .text(run), .text(runner)]) { rows in
            """
            insert into \(sql.executions) as e (workspace, tenant, runbook, key, state, clean, attempt, checksum,
                run_id, runner, started_at, finished_at, rows_affected, sqlstate, message, detail, hint, file,
                line, statement)
            select $1, tenant, runbook, key, state, clean, tries, checksum, $2, $3,
                \(sql.ago(milliseconds: "duration_ms")), \(sql.clock), rows_affected, sqlstate, message, detail, hint,
                file, line, statement
            from \(rows) as y where true order by tenant, runbook, key
            on conflict (workspace, tenant, runbook, key) do update set
                \(Self.executionUpdate)
            where \(Self.mayOverwrite(run: "$2", runner: "$3"))
            """
        }
    }

    /// What the execution's row did not take up is history only when it failed; else it is no news.
    private func writeHistory(_ rows: [ExecutionRow], run: String, runner: String) throws(DatabaseError) {
        let isTaken = "e.state = y.state and e.run_id = $2 and e.runner = $3 and e.checksum = y.checksum"
        try execute(over: rows, [.text(workspace), .text(run), .text(runner)]) { rows in
            """
            insert into \(sql.attempts) (workspace, tenant, runbook, key, attempt, run_id, runner, state, clean,
                checksum, started_at, finished_at, duration_ms, rows_affected, sqlstate, message, detail, hint,
                file, line, statement, output)
            select $1, y.tenant, y.runbook, y.key, e.attempt, $2, $3, y.state, y.clean, y.checksum,
                case when \(isTaken) then e.started_at else \(sql.ago(milliseconds: "y.duration_ms")) end,
                case when \(isTaken) then e.finished_at else \(sql.clock) end,
                y.duration_ms, y.rows_affected, y.sqlstate, y.message, y.detail, y.hint, y.file, y.line, y.statement,
                y.output
            from \(rows) as y \(sql.ordered) \(sql.executions) e
                on e.workspace = $1 and e.tenant = y.tenant and e.runbook = y.runbook and e.key = y.key
            where y.state not in \(LedgerSQL.ended) or (\(isTaken))
            """
        }
    }

    /// Gives what this run has done in these tenants, and nobody has written, its row in the history.
    private func writeForgotten(_ tenants: [String], run: String) throws(DatabaseError) {
        guard !tenants.isEmpty else { return }
        let list =
            switch dialect {
            case .postgresql: "(select pg_catalog.unnest($3::text[]))"
            case .sqlite: "(select value from json_each($3))"
            }
        try execute(
            """
            insert into \(sql.attempts) (workspace, tenant, runbook, key, attempt, run_id, runner, state, checksum,
                started_at, finished_at, duration_ms, rows_affected)
            select e.workspace, e.tenant, e.runbook, e.key, e.attempt, e.run_id, e.runner, e.state, e.checksum,
                e.started_at, e.finished_at,
                \(sql.milliseconds("e.finished_at")) - \(sql.milliseconds("e.started_at")), e.rows_affected
            from \(sql.executions) e
            where e.workspace = $1 and e.run_id = $2 and e.state in \(LedgerSQL.ended) and e.tenant in \(list)
                and not exists (
                    select 1 from \(sql.attempts) a
                    where a.workspace = e.workspace and a.tenant = e.tenant and a.runbook = e.runbook
                        and a.key = e.key and a.attempt = e.attempt and a.state = e.state)
            """, [.text(workspace), .text(run), LedgerList.texts(tenants, dialect)])
    }

    /// A row that was written beside the work gets its details; any other is replaced.
    private static let executionUpdate: String = {
        let kept =
            "e.state in ('succeeded', 'baselined', 'rolled_back') and excluded.state = e.state and e.checksum = excluded.checksum"
        return """
            started_at = case when \(kept) then e.started_at else excluded.started_at end,
            finished_at = case when \(kept) then e.finished_at else excluded.finished_at end,
            state = excluded.state, clean = excluded.clean, checksum = excluded.checksum,
            attempt = e.attempt + excluded.attempt,
            run_id = excluded.run_id, runner = excluded.runner, rows_affected = coalesce(
                excluded.rows_affected, case when e.batches is not null then e.rows_affected end),
            sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail,
            hint = excluded.hint, file = excluded.file, line = excluded.line,
            statement = excluded.statement,
            cursor = case when excluded.state <> 'rolled_back' then e.cursor end,
            batches = case when excluded.state <> 'rolled_back' then e.batches end
            """
    }()

    /// A finished identity is touched only by the runner that finished it, by one that ran another body, or by one that
    /// undid it; an undo that failed and left nothing touches nothing.
    private static func mayOverwrite(run: String, runner: String) -> String {
        let isUndo = "excluded.checksum like '\(RunbookUndo.mark)%'"
        return """
            case when \(isUndo) then excluded.state <> 'failed' or excluded.clean is not true
            else e.state not in \(LedgerSQL.done)
            or (excluded.state = 'succeeded' and e.checksum <> excluded.checksum)
            or (excluded.state = 'succeeded' and e.run_id = \(run) and e.runner = \(runner))
            end
            """
    }

    private struct JobRow: LedgerRow {
        static let columns: Columns = [
            ("tenant", "text"), ("claim", "integer"), ("state", "text"), ("reason", "text"), ("drifted", "boolean"),
            ("message", "text"), ("stage", "integer"), ("cause", "text"),
        ]

        var values: [DatabaseValue]

        init(_ result: JobResult) {
            values = [
                .text(result.job.tenant), DatabaseValue(result.job.attempt), .text(result.state.rawValue),
                DatabaseValue(result.reason?.rawValue), .boolean(result.hasDrifted), DatabaseValue(result.message),
                DatabaseValue(result.nextStage), DatabaseValue(result.failure.map { FailureSignature($0).name }),
            ]
        }
    }

    private struct ExecutionRow: LedgerRow {
        static let columns: Columns = [
            ("tenant", "text"), ("runbook", "text"), ("key", "text"), ("checksum", "text"), ("state", "text"),
            ("clean", "boolean"), ("tries", "integer"), ("rows_affected", "bigint"), ("duration_ms", "bigint"),
            ("sqlstate", "text"), ("message", "text"), ("detail", "text"), ("hint", "text"), ("file", "text"),
            ("line", "integer"), ("statement", "text"), ("output", "text"),
        ]

        var values: [DatabaseValue]

        init(_ outcome: ExecutionOutcome, of job: ClaimedJob) {
            let failure = outcome.failure
            values = [
                .text(job.tenant), .text(outcome.identity.runbook), .text(outcome.identity.key),
                .text(outcome.checksum), .text(outcome.state.rawValue), DatabaseValue(failure?.clean),
                DatabaseValue(outcome.uncountedTries), DatabaseValue(outcome.rowsAffected),
                DatabaseValue(outcome.durationMS), DatabaseValue(failure?.sqlstate), DatabaseValue(failure?.message),
                DatabaseValue(failure?.detail), DatabaseValue(failure?.hint), DatabaseValue(failure?.file),
                DatabaseValue(failure?.line), DatabaseValue(failure?.statement), DatabaseValue(outcome.output),
            ]
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
    var withoutNUL: String {
        guard utf8.contains(0) else { return self }
        return String(UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{fffd}" : $0 }))
    }
}

extension ExecutionOutcome {
    /// Whether the ledger learns anything from it: what was found done there, or was never reached, changes nothing.
    var isWorthWriting: Bool { !wasDone || !isRecorded }

    /// Whether its row in `executions` says all of it already: recorded beside the work, at the first try. How many rows
    /// it affected stands in the history.
    var stands: Bool { (state == .succeeded || state == .rolledBack) && isRecorded && uncountedTries == 0 }

    /// How many tries the ledger's row does not count yet.
    fileprivate var uncountedTries: Int { tries - (isRecorded ? 1 : 0) }
}
