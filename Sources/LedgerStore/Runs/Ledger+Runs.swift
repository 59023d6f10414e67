package import DatabaseAccess
package import RunbookModel

/// A run that has a row, and whether this runner made it.
package struct StartedRun: Sendable {
    package var id: String
    package var joined: Bool
    /// It was stopped and is not complete yet: nothing was put into it.
    package var isStopping = false
    /// It would not be what its plan says any more: nothing was written.
    package var isStale = false
    /// A run of the other kind is open, and comes first: this one was not made.
    package var waitsFor: String?
    /// A newer manifest has left runs behind: see `closeRunsLeftBehind`.
    package var leavesBehind = false
    /// The first jobs of a run that this runner has made, which has claimed them.
    package var claimed: [ClaimedJob] = []
    /// Tenants that took long in one of the last runs, where that was asked.
    package var durations: [String: Int] = [:]

    package init(
        id: String, joined: Bool, isStopping: Bool = false, isStale: Bool = false, waitsFor: String? = nil,
        durations: [String: Int] = [:]
    ) {
        self.id = id
        self.joined = joined
        self.isStopping = isStopping
        self.isStale = isStale
        self.waitsFor = waitsFor
        self.durations = durations
    }
}

extension Ledger {
    /// Ensures the run of that identity, puts a job for each tenant of the scope that still has something to do, and adds
    /// the runner, in one transaction; the question is asked again there, so that what was finished meanwhile makes no job.
    ///
    /// - Parameters:
    ///   - pages: the tenants that may get a job, with offsets that say where; is given what `long` has answered.
    ///   - settled: how many tenants were done already when the plan was made.
    ///   - long: who took long before.
    ///   - runner: who works on it from then on.
    ///   - count: how many jobs it claims at once, in a run that is new, in PostgreSQL.
    ///   - made: called when the run is a new one, before anything is in it.
    ///   - remembering: what else is written with it, first.
    /// - Returns: nil when nothing is left to do; then nothing was written.
    package func startRun(
        _ draft: RunDraft, jobs pages: ([String: Int]) -> some Sequence<LedgerScope>, settled: Int,
        long: LedgerQuestion<[String: Int]>? = nil, runner: NewRunner? = nil, claiming count: Int = 0,
        made: () -> Void = {}, remembering: () throws(DatabaseError) -> Void = {}
    ) throws(DatabaseError) -> StartedRun? {
        try session.begin([sql.begin] + sql.ownPath)
        let started = try session.rollingBackOnFailure { () throws(DatabaseError) -> StartedRun? in
            try remembering()
            try keepFromSealing(alone: draft.kind == .rollback)
            let run = try ensureRun(draft, settled: settled, long)
            if !run.joined, run.waitsFor == nil { made() }
            let begun =
                run.isStopping || run.waitsFor != nil
                ? run : try fill(run, draft, pages(run.durations), runner, claiming: count)
            try Failpoint.reach(.startRun, .before)
            let isKept = begun.map { !$0.isStopping && !$0.isStale && $0.waitsFor == nil } ?? false
            if isKept { try session.commit() } else { try session.rollback() }
            return begun
        }
        try Failpoint.reach(.startRun, .after)
        return started
    }

    /// Puts the jobs and the runner into a run that is under our lock. nil when there is nothing to do in it.
    private func fill(
        _ run: StartedRun, _ draft: RunDraft, _ pages: some Sequence<LedgerScope>, _ runner: NewRunner?,
        claiming count: Int
    ) throws(DatabaseError) -> StartedRun? {
        var run = run
        var asked = 0
        var places = 0
        for page in pages {
            try putJobs(page, of: run, waves: draft.waves)
            asked += page.tenants.count { !$0.id.isEmpty }
            places += page.tenants.count
        }
        if run.joined {
            try blockBehindFailures(run.id, RunCourse(waves: draft.waves.count))
        } else {
            // What was finished since the plan was made counts as done before the run.
            try execute(
                """
                update \(sql.runs) set already_done = already_done + $2 - (
                    select count(*) from \(sql.jobs) where run_id = $1 and tenant <> '')
                where id = $1
                """, [.text(run.id), DatabaseValue(asked)])
        }
        if let plan = draft.plan { try note("plan", plan, of: run.id, by: draft.initiator.name) }
        if let other = draft.retryOf, !run.joined {
            try note("retry", "of run \(other)", of: run.id, by: draft.initiator.name)
        }
        if let runner { try add(runner, to: run.id, connections: run.joined ? 0 : runner.connections) }
        let claims = !run.joined && dialect == .postgresql ? count : 0
        let (hasOpenJobs, jobs, left, claimed) = try answers(
            to: openJobs(of: run.id), countOfJobs(of: run.id), leftBehind(by: draft, run: run.id),
            claim(run: run.id, runner: runner?.id ?? "", limit: runner == nil ? 0 : claims))
        run.isStale = !run.joined && draft.plan != nil && jobs != places
        // What is taken back is nobody's.
        run.claimed = run.isStale ? [] : claimed
        guard run.joined || hasOpenJobs || run.isStale else { return nil }
        run.leavesBehind = !left.isEmpty
        return run
    }

    package func startRun(
        _ draft: RunDraft, jobs scope: LedgerScope, settled: Int
    ) throws(DatabaseError) -> StartedRun? {
        try startRun(draft, jobs: { _ in [scope] }, settled: settled)
    }

    /// - Parameter orDueHooks: whether a complete run counts as open while its last hooks are to be started.
    package func hasOpenRun(_ identity: String, orDueHooks: Bool = false) throws(DatabaseError) -> Bool {
        let isDue = orDueHooks ? " or hooks_due" : ""
        return try row(
            "select 1 from \(sql.runs) where workspace = $1 and identity = $2 and (status <> 'completed'\(isDue))",
            [.text(workspace), .text(identity)]) != nil
    }

    /// Whether an open run of that identity was begun with a saved plan.
    package func hasOpenRun(_ identity: String, begunWith plan: String) throws(DatabaseError) -> Bool {
        try row(
            """
            select 1 from \(sql.runs) r join \(sql.events) e on e.run_id = r.id
            where r.workspace = $1 and r.identity = $2 and r.status <> 'completed' and e.kind = 'plan' and e.detail = $3
            """, [.text(workspace), .text(identity), .text(plan)]) != nil
    }

    private func note(
        _ kind: String, _ detail: String, of run: String, by actor: String
    ) throws(DatabaseError) {
        try execute(
            "insert into \(sql.events) (workspace, run_id, kind, actor, detail) values ($1, $2, $3, $4, $5)",
            [.text(workspace), .text(run), .text(kind), .text(actor), .text(detail)])
    }

    private func countOfJobs(of run: String) -> LedgerQuestion<Int> {
        LedgerQuestion("select count(*) from \(sql.jobs) where run_id = $1", [.text(run)]) {
            $0.first?[0].integer ?? 0
        }
    }

    private func ensureRun(
        _ draft: RunDraft, settled: Int, _ long: LedgerQuestion<[String: Int]>?
    ) throws(DatabaseError) -> StartedRun {
        // A run of the same identity may complete between the two statements; then the insert succeeds.
        while true {
            let id = RunID.make()
            let insertion = LedgerQuestion(
                """
                insert into \(sql.runs) (id, workspace, identity, phase, selection, status, stages, already_done,
                    manifest_digest, manifest, release, revision, door, initiator_kind, initiator_name, initiator_url,
                    kind, undoes, hooks_due)
                select $1, $2, $3, $4, $5, 'running', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
                where not exists (
                    select 1 from \(sql.runs) where workspace = $2 and status <> 'completed' and kind <> $16)
                on conflict (workspace, identity) where status <> 'completed' do nothing
                returning id
                """,
                [
                    .text(id), .text(workspace), .text(draft.identity), DatabaseValue(draft.phase),
                    .text(draft.selection), DatabaseValue(draft.stages), DatabaseValue(settled),
                    .text(draft.source.digest), .text(draft.source.text), DatabaseValue(draft.release),
                    DatabaseValue(draft.revision), .text(draft.door), .text(draft.initiator.kind),
                    .text(draft.initiator.name), DatabaseValue(draft.initiator.url), .text(draft.kind.rawValue),
                    DatabaseValue(draft.undoes), .boolean(draft.hasFinalHooks),
                ]
            ) { !$0.isEmpty }
            let (isMade, cancelled): (Bool, [String])
            var durations: [String: Int] = [:]
            if let long {
                (isMade, cancelled, durations) = try answers(to: insertion, lastCancelled, long)
            } else {
                (isMade, cancelled) = try answers(to: insertion, lastCancelled)
            }
            if isMade {
                for run in cancelled { try writeUntold(of: run) }
                return StartedRun(id: id, joined: false, durations: durations)
            }
            // Locked, so that nobody completes it or moves it on before the jobs are in.
            let open = try row(
                """
                select id, stop_reason is not null from \(sql.runs)
                where workspace = $1 and identity = $2 and status <> 'completed' \(sql.forUpdate)
                """, [.text(workspace), .text(draft.identity)])
            if let open, let id = open[0].text {
                return StartedRun(id: id, joined: true, isStopping: open[1].boolean == true, durations: durations)
            }
            if let other = try openRun(otherThan: draft.kind) {
                return StartedRun(id: id, joined: false, waitsFor: other)
            }
        }
    }

    /// An open run of the other kind: to do and to undo at the same time leaves neither.
    package func openRun(otherThan kind: RunKind) throws(DatabaseError) -> String? {
        try row(
            "select id from \(sql.runs) where workspace = $1 and status <> 'completed' and kind <> $2 order by id limit 1",
            [.text(workspace), .text(kind.rawValue)])?[0].text
    }

    private func putJobs(_ scope: LedgerScope, of run: StartedRun, waves: [String]) throws(DatabaseError) {
        guard !scope.tenants.isEmpty else { return }
        let pending = unsettled(scope, first: 4, forJobs: true)
        let count = max(1, waves.count)
        let wave =
            switch dialect {
            case .postgresql: "($3::text[])[u.stage % \(count) + 1]"
            case .sqlite: "json_extract($3, '$[' || (u.stage % \(count)) || ']')"
            }
        try execute(
            """
            \(pending.sql)
            insert into \(sql.jobs) (run_id, tenant, position, stage, state, reason, wave)
            select $2, u.id, u.ord + \(scope.offset), u.stage, u.state, u.reason, case when u.id <> '' then \(wave) end
            from u where true
            \(run.joined ? "on conflict (run_id, tenant) do nothing" : "")
            """, [.text(workspace), .text(run.id), LedgerList.texts(waves, dialect)] + pending.parameters)
    }

    func hasOpenJobs(_ run: String) throws(DatabaseError) -> Bool { try answer(to: openJobs(of: run)) }

    private func openJobs(of run: String) -> LedgerQuestion<Bool> {
        LedgerQuestion(
            "select exists (select 1 from \(sql.jobs) where run_id = $1 and state in ('queued', 'running'))",
            [.text(run)]
        ) { $0.first?[0].boolean == true }
    }

    /// Blocks what waits for a border that others passed before it came, and not all of them well.
    private func blockBehindFailures(_ run: String, _ course: RunCourse) throws(DatabaseError) {
        try execute(
            """
            update \(sql.jobs) set state = 'blocked', reason = 'after', finished_at = \(sql.clock)
            where run_id = $1 and state = 'queued' and stage <= (select stage from \(sql.runs) where id = $1)
                and stage / \(course.waves) > (
                    select min(stage / \(course.waves)) from \(sql.jobs)
                    where run_id = $1 and state in ('failed', 'blocked', 'unknown', 'cancelled'))
            """, [.text(run)])
    }

    /// Completes the run if no job is open. Whoever sees an open run without open jobs calls this; one of them wins.
    ///
    /// The job rows must be committed before, in a transaction of their own.
    /// - Parameters:
    ///   - outcome: nil: as the jobs say.
    ///   - runner: who says goodbye with it.
    /// - Returns: whether this call completed it.
    package func completeRun(
        _ run: String, outcome: RunOutcome? = nil, leaving runner: String? = nil
    ) throws(DatabaseError) -> Bool {
        let isCompleted = try writing { () throws(DatabaseError) in
            // Locked by a statement of its own: whoever joined the run meanwhile has put jobs that the next one sees.
            var (isStopped, tally) = try answers(to: openRun(run), self.tally(ofRun: run))
            guard let isStopped else { return false }
            // What was given back after its run was stopped does not begin any more.
            if isStopped {
                try cancelQueued(run)
                tally = try jobTally(run)
            }
            guard tally.all.processed == tally.all.total else { return false }
            try complete(run, outcome ?? tally.outcome)
            if let runner { try noteEnd(of: runner, run: run) }
            try Failpoint.reach(.completeRun, .before)
            return true
        }
        try Failpoint.reach(.completeRun, .after)
        return isCompleted
    }

    /// Closes runs that a newer manifest has left behind: open, of the same phase and selection, and no runner of
    /// theirs is alive. What was open in them is cancelled; what they had finished stays done. Hooks behind the end of
    /// such runs, also of complete ones, are not started any more: it is not known what they are in the newer manifest.
    ///
    /// - Returns: the runs whose last hooks were not started, or not seen to end.
    @discardableResult
    package func closeRunsLeftBehind(by draft: RunDraft, run: String) throws(DatabaseError) -> [String] {
        try writing { () throws(DatabaseError) in
            var withoutHooks: [String] = []
            for left in try answer(to: leftBehind(by: draft, run: run, isLocked: true)) {
                let reason = "run \(run) of a newer manifest has taken its place"
                if left.isOpen { try cancelOpen(left.id, because: reason) }
                guard left.hasHooks else { continue }
                try settleHooks(of: left.id)
                try execute(
                    "insert into \(sql.events) (workspace, run_id, kind, detail) values ($1, $2, 'hook_dropped', $3)",
                    [.text(workspace), .text(left.id), .text(reason)])
                withoutHooks.append(left.id)
            }
            return withoutHooks
        }
    }

    private func leftBehind(
        by draft: RunDraft, run: String, isLocked: Bool = false
    ) -> LedgerQuestion<[(id: String, isOpen: Bool, hasHooks: Bool)]> {
        LedgerQuestion(
            """
            select r.id, r.status <> 'completed', r.hooks_due from \(sql.runs) r
            where r.workspace = $1 and (r.status <> 'completed' or r.hooks_due) and r.id <> $2 and r.identity <> $3
                and coalesce(r.phase, '') = $4 and r.selection = $5 and r.kind = $6
                and not exists (
                    select 1 from \(sql.runners) n where n.run_id = r.id and n.ended_at is null
                        and n.heartbeat_at >= \(sql.ago(seconds: Self.silence)))
            order by r.id \(isLocked ? sql.forUpdate : "")
            """,
            [
                .text(workspace), .text(run), .text(draft.identity), .text(draft.phase ?? ""), .text(draft.selection),
                .text(draft.kind.rawValue),
            ]
        ) { $0.map { ($0[0].text ?? "", $0[1].boolean == true, $0[2].boolean == true) } }
    }

    /// Locks the row of an open run.
    func lock(_ run: String) throws(DatabaseError) -> Bool { try answer(to: openRun(run)) != nil }

    /// Locks the row of an open run: whether it was stopped, nil when it is not open.
    private func openRun(_ run: String) -> LedgerQuestion<Bool?> {
        LedgerQuestion(
            """
            select stop_reason is not null from \(sql.runs)
            where id = $1 and status <> 'completed' \(sql.forUpdate)
            """, [.text(run)]
        ) { $0.first?[0].boolean }
    }

    /// Completes an open run, whose row is locked.
    func complete(_ run: String, _ outcome: RunOutcome) throws(DatabaseError) {
        try writeUntold(ofLocked: run)
        try execute(
            """
            update \(sql.runs) set status = 'completed', outcome = $2, finished_at = \(sql.clock),
                total = s.total, processed = s.processed, succeeded = s.succeeded, skipped = s.skipped,
                failed = s.failed, blocked = s.blocked, unknown = s.unknown, cancelled = s.cancelled
            from \(sql.name("run_summary")) s
            where id = $1 and s.run_id = $1
            """, [.text(run), .text(outcome.rawValue)])
    }

    /// Moves the run to its next place once no job of this one is open. Where a stage ends there and anything before the
    /// border is not done, what stands behind it is blocked: a barrier is passed by all or by none.
    package func advanceRun(
        _ run: String, past stage: Int, _ course: RunCourse = RunCourse(waves: 1)
    ) throws(DatabaseError) {
        try writing { () throws(DatabaseError) in
            guard try lock(run) else { return }
            let moved = try result(
                of: """
                    update \(sql.runs) set stage = stage + 1, gate_runner = null
                    where id = $1 and stage = $2 and stop_reason is null and not exists (
                        select 1 from \(sql.jobs) where run_id = $1 and stage <= $2 and state in ('queued', 'running'))
                    """, [.text(run), DatabaseValue(stage)])
            guard moved.rowsAffected == 1 else { return }
            let isBorder = course.end(ofStageAt: stage) == stage + 1
            if isBorder {
                try execute(
                    """
                    update \(sql.jobs) set state = 'blocked', reason = 'after', finished_at = \(sql.clock)
                    where run_id = $1 and state = 'queued' and exists (
                        select 1 from \(sql.jobs)
                        where run_id = $1 and state in ('failed', 'blocked', 'unknown', 'cancelled'))
                    """, [.text(run)])
            }
            try Failpoint.reach(.advanceRun, .before)
        }
        try Failpoint.reach(.advanceRun, .after)
    }
}
