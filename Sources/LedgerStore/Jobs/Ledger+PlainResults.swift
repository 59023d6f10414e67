import DatabaseAccess
import RunbookModel

/// Jobs that ended as nearly all do: nothing failed, nothing waits, and what was done stands in `executions` already, where
/// the work itself has put it. One statement writes them.
extension Ledger {
    /// Writes the jobs that still belong to (runner, attempt) and the history of their executions. Whose executions did not
    /// wait for the disk, and are not there, is given back.
    ///
    /// - Parameter results: plain ones, in PostgreSQL.
    /// - Returns: the attempts of the jobs that were still ours, by tenant, and how many of them were given back.
    func writePlain(
        _ results: [JobResult], run: String, runner: String
    ) throws(DatabaseError) -> (attempts: [String: Int], lost: Int) {
        var identities: [Identity: Int] = [:]
        var lines: [(tenant: String, ord: Int, outcome: ExecutionOutcome)] = []
        for result in results {
            for outcome in result.executions where outcome.isWorthWriting {
                let ord = identities[outcome.identity] ?? identities.count + 1
                identities[outcome.identity] = ord
                lines.append((result.job.tenant, ord, outcome))
            }
        }
        let keys = identities.sorted { $0.value < $1.value }.map(\.key)
        func texts(_ values: some Sequence<String?>) -> DatabaseValue { LedgerList.texts(values, dialect) }
        func integers(_ values: some Sequence<Int?>) -> DatabaseValue {
            texts(values.lazy.map { value in value.map(String.init) })
        }
        // `unnest` of several arrays is grammar, not a function, and so cannot be qualified.
        let rows = try rows(
            """
            with i as (select * from unnest($8::text[], $9::text[]) with ordinality as i(runbook, key, ord)),
            y as materialized (
                select y.tenant as whose, y.duration_ms as took, y.rows_affected as affected, y.output,
                    e.tenant is null and not y.is_on_disk as is_lost, e.*
                from unnest($10::text[], $11::int[], $12::text[], $13::bigint[], $14::bigint[], $15::text[],
                        $16::boolean[])
                    as y(tenant, ord, checksum, duration_ms, rows_affected, output, is_on_disk)
                join i on i.ord = y.ord
                left join \(sql.executions) e on e.workspace = $1 and e.tenant = y.tenant and e.runbook = i.runbook
                    and e.key = i.key and e.run_id = $2 and e.runner = $3 and e.checksum = y.checksum
                    and e.state in \(LedgerSQL.ended)),
            x as (
                select x.tenant, x.claim, lost.tenant is not null as is_lost,
                    case when lost.tenant is null then x.state else 'queued' end as state,
                    case when lost.tenant is null then x.stage end as stage
                from unnest($4::text[], $5::int[], $6::text[], $7::int[]) as x(tenant, claim, state, stage)
                left join (select distinct y.whose as tenant from y where y.is_lost) lost on lost.tenant = x.tenant),
            j as (
                update \(sql.jobs) as j set cause = null,
                    message = case when \(Self.isCancelled) then j.message end,
                    reason = case when x.state = 'queued' then j.reason end,
                    state = case when x.state = 'skipped' and exists (
                        select 1 from \(sql.executions) e
                        where e.workspace = $1 and e.tenant = x.tenant and e.run_id = $2
                            and e.state in \(LedgerSQL.ended))
                        then 'succeeded' when \(Self.isCancelled) then 'cancelled' else x.state end,
                    stage = coalesce(x.stage, j.stage),
                    runner = case when x.state = 'queued' then null else j.runner end,
                    finished_at = case when x.state <> 'queued' or \(Self.isCancelled) then \(sql.clock) end
                from x
                where j.run_id = $2 and j.tenant = x.tenant and j.runner = $3 and j.attempt = x.claim
                    and j.state = 'running'
                returning j.tenant, j.attempt, x.is_lost),
            h as (
                insert into \(sql.attempts) (workspace, tenant, runbook, key, attempt, run_id, runner, state, checksum,
                    started_at, finished_at, duration_ms, rows_affected, output)
                select y.workspace, y.tenant, y.runbook, y.key, y.attempt, y.run_id, y.runner, y.state, y.checksum,
                    y.started_at, y.finished_at, y.took, y.affected, y.output
                from j join y on y.whose = j.tenant where not j.is_lost)
            select tenant, attempt, is_lost from j
            """,
            [
                .text(workspace), .text(run), .text(runner), texts(results.map(\.job.tenant)),
                integers(results.map(\.job.attempt)), texts(results.map(\.state.rawValue)),
                integers(results.map(\.nextStage)), texts(keys.map(\.runbook)), texts(keys.map(\.key)),
                texts(lines.map(\.tenant)), integers(lines.map(\.ord)), texts(lines.map(\.outcome.checksum)),
                integers(lines.map(\.outcome.durationMS)), integers(lines.map(\.outcome.rowsAffected)),
                texts(lines.map(\.outcome.output)), LedgerList.booleans(lines.map(\.outcome.isOnDisk), dialect),
            ])
        let attempts = Dictionary(rows.map { ($0[0].text ?? "", $0[1].integer ?? 0) }, uniquingKeysWith: { $1 })
        return (attempts, rows.count { $0[2].boolean == true })
    }

    /// The tenants whose executions did not wait for the disk, and are not there.
    func lost(
        among results: [JobResult], run: String, runner: String
    ) throws(DatabaseError) -> Set<String> {
        let lines = results.flatMap { result in
            result.executions.filter { $0.isWorthWriting && !$0.isOnDisk }.map { (result.job.tenant, $0) }
        }
        guard !lines.isEmpty else { return [] }
        func texts(_ values: some Sequence<String>) -> DatabaseValue { LedgerList.texts(values, dialect) }
        let rows = try rows(
            """
            select distinct y.tenant
            from unnest($4::text[], $5::text[], $6::text[], $7::text[]) as y(tenant, runbook, key, checksum)
            where not exists (
                select 1 from \(sql.executions) e
                where e.workspace = $1 and e.tenant = y.tenant and e.runbook = y.runbook and e.key = y.key
                    and e.run_id = $2 and e.runner = $3 and e.checksum = y.checksum and e.state in \(LedgerSQL.ended))
            """,
            [
                .text(workspace), .text(run), .text(runner), texts(lines.map(\.0)),
                texts(lines.map(\.1.identity.runbook)), texts(lines.map(\.1.identity.key)),
                texts(lines.map(\.1.checksum)),
            ])
        return Set(rows.compactMap { $0[0].text })
    }
}

extension JobResult {
    /// Ended well or goes on in its next stage, and all it did is on record.
    var isPlain: Bool {
        guard reason == nil, message == nil, hookFailure == nil, !hasDrifted else { return false }
        switch state {
        case .succeeded, .skipped: break
        case .queued: guard nextStage != nil else { return false }
        case .running, .failed, .blocked, .unknown, .cancelled: return false
        }
        return executions.allSatisfy { !$0.isWorthWriting || $0.stands }
    }
}
