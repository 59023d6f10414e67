package import DatabaseAccess
package import FoundationEssentials
package import RunbookModel

extension Ledger {
    /// Claims up to `limit` queued jobs of the run's present stage, in their order; a job that came too late for an
    /// earlier stage is among them.
    ///
    /// - Parameter places: stages in which one job at a time is under way, whoever has it.
    package func claimJobs(
        run: String, runner: String, limit: Int, oneAt places: Set<Int> = []
    ) throws(DatabaseError) -> [ClaimedJob] {
        let claim = try claim(run: run, runner: runner, limit: limit, oneAt: places)
        try Failpoint.reach(.claimJobs, .before)
        let claimed =
            switch dialect {
            case .postgresql: try answer(to: claim)
            case .sqlite:
                try writing { () throws(DatabaseError) in
                    try execute("update muster_fence set value = value + 1")
                    return try answer(to: claim)
                }
            }
        try Failpoint.reach(.claimJobs, .after)
        return claimed
    }

    /// The statement that claims. In SQLite the fence is counted up before, in the same transaction.
    func claim(
        run: String, runner: String, limit: Int, oneAt places: Set<Int> = []
    ) throws(DatabaseError) -> LedgerQuestion<[ClaimedJob]> {
        let (alone, most) = limits(places)
        var parameters: [DatabaseValue] = [.text(run), .text(runner), DatabaseValue(limit)]
        let statement: String
        switch dialect {
        case .postgresql:
            parameters.append(.text(workspace))
            let fence = try PostgresText.quoteLiteral(sql.name("fence"))
            // In the index's order, or each claim would sort all that is queued. MATERIALIZED, or the planner may run the
            // limited subquery once for each row of the update. By place, not by name: the planner, which knows nothing of
            // a run that has just begun, reads all its jobs otherwise, also for a list of names. A row that somebody
            // changes meanwhile is not found in its new place, and stays for the next claim (PostgreSQL manual, 5.5).
            statement = """
                with c as materialized (
                    select ctid as place from \(sql.jobs)
                    where run_id = $1 and state = 'queued'
                      and stage <= (select stage from \(sql.runs) where id = $1 and status <> 'completed' and stop_reason is null)
                      \(alone)
                    order by stage, position limit \(most) for update skip locked)
                update \(sql.jobs) j set state = 'running', runner = $2, attempt = j.attempt + 1,
                    fence = pg_catalog.nextval(\(fence)),
                    claimed_at = pg_catalog.clock_timestamp()
                from c where j.ctid = c.place
                returning j.tenant, j.stage, j.attempt, j.fence, j.position, coalesce((
                    select s.set_id from \(sql.sealed) s where s.workspace = $4 and s.tenant = j.tenant), 0)
                """
        case .sqlite:
            statement = """
                update muster_jobs set state = 'running', runner = $2, attempt = attempt + 1,
                    fence = (select value from muster_fence), claimed_at = \(sql.now)
                where run_id = $1 and state = 'queued' and tenant in (
                    select tenant from muster_jobs where run_id = $1 and state = 'queued'
                        and stage <= (select stage from muster_runs where id = $1 and status <> 'completed' and stop_reason is null)
                        \(alone)
                    order by stage, position limit \(most))
                returning tenant, stage, attempt, fence, position
                """
        }
        return LedgerQuestion(statement, parameters) { rows in
            rows.sorted { ($0[4].integer ?? 0) < ($1[4].integer ?? 0) }.map(Self.claimedJob)
        }
    }

    /// What keeps a claim to one job where one tenant at a time is worked on. Of two runners that claim at the same moment
    /// both may get one; the workspace's lock is what decides.
    private func limits(_ places: Set<Int>) -> (condition: String, limit: String) {
        guard !places.isEmpty else { return ("", "$3") }
        let list = places.sorted().map(String.init).joined(separator: ", ")
        let condition = """
            and (stage not in (\(list)) or not exists (
                select 1 from \(sql.jobs) o where o.run_id = $1 and o.state = 'running' and o.stage in (\(list))))
            """
        let first = "select min(stage) from \(sql.jobs) where run_id = $1 and state = 'queued'"
        return (condition, "(case when (\(first)) in (\(list)) then 1 else $3 end)")
    }

    /// The jobs that the ledger says this runner has.
    package func claimedJobs(run: String, runner: String) throws(DatabaseError) -> [ClaimedJob] {
        try rows(
            """
            select tenant, stage, attempt, fence from \(sql.jobs)
            where run_id = $1 and runner = $2 and state = 'running' order by position
            """, [.text(run), .text(runner)]
        ).map(Self.claimedJob)
    }

    /// Which runner has which tenant of an open run, of any identity, in their order.
    package func workUnderWay(limit: Int) throws(DatabaseError) -> [WorkUnderWay] {
        try rows(
            """
            select j.tenant, n.id, n.host, n.pid, \(sql.milliseconds("j.claimed_at"))
            from \(sql.runs) r join \(sql.jobs) j on j.run_id = r.id and j.state = 'running'
            join \(sql.runners) n on n.id = j.runner and n.ended_at is null
            where r.workspace = $1 and r.status <> 'completed' order by r.id, j.position limit $2
            """, [.text(workspace), DatabaseValue(limit)]
        ).map { row in
            WorkUnderWay(
                tenant: row[0].text ?? "", runner: row[1].text ?? "", host: row[2].text ?? "", pid: row[3].integer ?? 0,
                since: Self.date(row[4]))
        }
    }

    private static func claimedJob(_ row: DatabaseRow) -> ClaimedJob {
        ClaimedJob(
            tenant: row[0].text ?? "", stage: row[1].integer ?? 0, attempt: row[2].integer ?? 0,
            fence: row[3].integer ?? 0, set: row.values.count > 5 ? row[5].integer : nil)
    }

    /// Where the run stands.
    package func runProgress(_ run: String) throws(DatabaseError) -> RunProgress? {
        guard
            let row = try row(
                """
                select r.status, r.stage, r.stop_reason,
                    (select count(*) from \(sql.jobs) j
                     where j.run_id = r.id and j.stage <= r.stage and j.state in ('queued', 'running')),
                    (select count(*) from \(sql.jobs) j where j.run_id = r.id and j.state in ('queued', 'running')
                        and (j.state = 'running' or r.stop_reason is null))
                from \(sql.runs) r where r.id = $1
                """, [.text(run)])
        else { return nil }
        return RunProgress(
            status: row[0].text.flatMap(RunStatus.init) ?? .completed, stage: row[1].integer ?? 0,
            openInStage: row[3].integer ?? 0, open: row[4].integer ?? 0, stopReason: row[2].text)
    }

    /// How the jobs of a run stand, those that were done before it began counted as skipped.
    package func jobTally(_ run: String) throws(DatabaseError) -> JobTally { try answer(to: tally(ofRun: run)) }

    package func tally(ofRun run: String) -> LedgerQuestion<JobTally> {
        LedgerQuestion(
            """
            select state, count(*), count(case when reason = 'lock' then 1 end), count(case when drifted then 1 end),
                tenant = ''
            from \(sql.jobs) where run_id = $1 group by state, tenant = ''
            union all select 'skipped', already_done, 0, 0, false from \(sql.runs) where id = $1
            """, [.text(run)]
        ) { rows in
            var tally = JobTally()
            for row in rows {
                guard let state = row[0].text.flatMap(JobState.init) else { continue }
                tally.all.add(state, row[1].integer ?? 0)
                if row[4].boolean != true { tally.tenants.add(state, row[1].integer ?? 0) }
                tally.lockBlocked += row[2].integer ?? 0
                tally.drifted += row[3].integer ?? 0
            }
            return tally
        }
    }
}

/// A tenant that a runner has taken.
package struct WorkUnderWay: Sendable {
    package var tenant: String
    package var runner: String
    package var host: String
    package var pid: Int
    package var since: Date?
}

/// Where a run stands.
package struct RunProgress: Sendable {
    package var status: RunStatus
    package var stage: Int
    /// Jobs queued or running in this stage, or late in an earlier one.
    package var openInStage: Int
    /// Jobs queued or running in any stage; of a run that was stopped, those that are running.
    package var open: Int
    /// Why nothing more of it begins, in words; nil while it goes on.
    package var stopReason: String?
}

/// How the jobs of a run stand.
package struct JobTally: Sendable {
    /// The tenants' jobs: what reports and views count.
    package var tenants = JobCounts()
    /// Those and the workspace's own: what decides the outcome.
    package var all = JobCounts()
    /// Blocked because a lock or a server was not to be had.
    package var lockBlocked = 0
    package var drifted = 0

    package init() {}

    /// The run's, when they are all of its jobs.
    var outcome: RunOutcome {
        RunVerdict.of(all, lockBlocked: lockBlocked, drifted: drifted, signal: nil).outcome
    }
}
