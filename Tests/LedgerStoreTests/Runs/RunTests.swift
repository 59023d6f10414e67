import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// Beginning and completing a run.
@Suite struct RunTests {
    /// Guarantee: one of those who start the same run makes it, the others join it; each tenant has one job.
    @Test(arguments: Engine.all) func startersJoinOneRun(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let runs = try await Threads.run(6) { _ in
                let ledger = try place.open()
                defer { ledger.session.close() }
                return try ledger.startRun(Sample.draft(), jobs: Sample.scope(Sample.names(50)), settled: 3)
            }
            #expect(Set(runs.compactMap { $0?.id }).count == 1)
            #expect(runs.count { $0?.joined == false } == 1)
            #expect(try ledger.value("select count(*) from {}runs")?.integer == 1)
            #expect(try ledger.value("select count(*) from {}jobs")?.integer == 50)
            #expect(try ledger.value("select already_done from {}runs")?.integer == 3)
        }
    }

    /// Guarantee: with nothing left to do there is no run, and nothing is written.
    @Test(arguments: Engine.all) func nothingToDoMakesNoRun(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            try finish(["t", "u"], in: ledger)
            #expect(try ledger.begin(["t", "u"], identity: "sha256:second") == nil)
            #expect(try ledger.begin([], identity: "sha256:second") == nil)
            #expect(try ledger.value("select count(*) from {}runs")?.integer == 1)
            #expect(!ledger.session.isInTransaction)
        }
    }

    /// Guarantee: who makes a run has its first jobs with it, as if claimed behind it; who joins has none, and a run that
    /// does not come about leaves none behind.
    @Test(arguments: Engine.all) func runBeginsWithItsFirstJobs(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            func start(_ runner: String, _ draft: RunDraft, _ scope: LedgerScope) throws -> StartedRun? {
                try ledger.startRun(
                    draft, jobs: { _ in [scope] }, settled: 0, runner: NewRunner(id: runner, host: "here", pid: 7),
                    claiming: 2)
            }
            let scope = Sample.scope(["c", "a", "b"])
            var planned = Sample.draft()
            planned.plan = "sha256:plan"
            var doubtful = scope
            doubtful.tenants.append(LedgerScope.ScopedTenant(id: "d", cohort: 9))
            let stale = try #require(try start("x", planned, doubtful))
            #expect(stale.isStale && stale.claimed.isEmpty)
            #expect(try ledger.value("select count(*) from {}jobs")?.integer == 0)

            let run = try #require(try start("a", Sample.draft(), scope))
            let first = engine == .postgresql ? ["c", "a"] : []
            #expect(run.claimed.map(\.tenant) == first)
            #expect(run.claimed.map(\.attempt) == first.map { _ in 1 })
            #expect(Set(run.claimed.map(\.fence)).count == first.count)
            #expect(try start("b", Sample.draft(), scope)?.claimed.isEmpty == true)
            let rest = try ledger.claimJobs(run: run.id, runner: "a", limit: 9).map(\.tenant)
            #expect(first + rest == ["c", "a", "b"])
            #expect(try ledger.claimedJobs(run: run.id, runner: "a").map(\.tenant) == ["c", "a", "b"])
        }
    }

    /// Guarantee: who completes a run has left it; who finds it open or complete has not.
    @Test(arguments: Engine.all) func whoCompletesTheRunHasLeftIt(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t"]))
            try ledger.addRunner("b", run: run, host: "here", pid: 2)
            let ended = "select count(*) from {}runners where ended_at is not null"
            #expect(try !ledger.completeRun(run, leaving: "a"))
            #expect(try ledger.value(ended)?.integer == 0)
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 9)
            #expect(try ledger.write(jobs.map { Sample.result($0) }, run: run, runner: "a") == 1)
            #expect(try ledger.completeRun(run, leaving: "a"))
            #expect(try !ledger.completeRun(run, leaving: "b"))
            #expect(try ledger.value(ended)?.integer == 1)
            #expect(try ledger.value("\(ended) and id = 'a'")?.integer == 1)
        }
    }

    /// Guarantee: a runner is on record with the run that it makes, and holds its connections from then on; of a run that
    /// it joins it has none yet; where no run comes about, nothing is left of it, nor of what was to be remembered.
    @Test(arguments: Engine.all) func runnerBeginsWithItsRun(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            func start(_ runner: String, _ identity: String) throws -> StartedRun? {
                let new = NewRunner(id: runner, host: "here", pid: 7, lockKey: 70, connections: 9)
                return try ledger.startRun(
                    Sample.draft(identity), jobs: { _ in [Sample.scope(["t"])] }, settled: 0, runner: new,
                    made: { made.append(runner) }
                ) { () throws(DatabaseError) in
                    try ledger.keep(tenants: [Tenant(id: runner, labels: [:])], runbooks: [])
                }
            }
            var made: [String] = []
            let run = try #require(try start("a", "sha256:run"))
            #expect(try start("b", "sha256:run")?.joined == true)
            #expect(made == ["a"])
            let runners = "select id, run_id, connections, lock_key from {}runners order by id"
            let expected: [[DatabaseValue]] = [
                [.text("a"), .text(run.id), .integer(9), .integer(70)],
                [.text("b"), .text(run.id), .integer(0), .integer(70)],
            ]
            #expect(try ledger.values(runners) == expected)
            let jobs = try ledger.claimJobs(run: run.id, runner: "a", limit: 1)
            #expect(try ledger.write(jobs.map { Sample.result($0) }, run: run.id, runner: "a") == 1)
            #expect(try ledger.completeRun(run.id))
            #expect(try start("c", "sha256:other") == nil)
            #expect(try ledger.values(runners) == expected)
            #expect(try ledger.value("select count(*) from {}tenants where tenant = 'c'")?.integer == 0)
            let present = "select tenant from {}tenants where gone_at is null"
            #expect(try ledger.values(present) == [[.text("b")]])
        }
    }

    /// Guarantee: a tenant that was finished after the plan gets no job, and counts as done before.
    @Test(arguments: Engine.all) func tenantsFinishedMeanwhileGetNoJob(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            try finish(["t", "u"], in: ledger)
            let scope = Sample.scope(["t", "u", "v", "w"])
            let run = try #require(try ledger.startRun(Sample.draft("sha256:second"), jobs: scope, settled: 5)).id
            #expect(
                try ledger.values("select tenant from {}jobs where run_id = $1 order by position", [.text(run)])
                    == [["v"], ["w"]])
            #expect(try ledger.run(run)?.counts.total == 9)
            #expect(try ledger.run(run)?.counts.skipped == 7)
            #expect(try ledger.jobTally(run).tenants == ledger.run(run)?.counts)
        }
    }

    /// Guarantee: a run is unique while it is open, per identity and workspace; a completed one is in nobody's way.
    @Test(arguments: Engine.all) func openRunIsUnique(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let first = try #require(try ledger.begin(["t"]))
            #expect(try ledger.startRun(Sample.draft(), jobs: Sample.scope(["t"]), settled: 0)?.joined == true)
            let other = try place.open(workspace: "other")
            defer { other.session.close() }
            let theirs = try #require(try other.begin(["t"], runner: "theirs"))
            #expect(theirs != first)
            let job = try ledger.claimJobs(run: first, runner: "a", limit: 1)
            #expect(try ledger.write([Sample.result(job[0], .failed)], run: first, runner: "a") == 1)
            #expect(try ledger.completeRun(first))
            let second = try #require(try ledger.begin(["t"], runner: "b"))
            #expect(second != first)
            #expect(try ledger.runs(limit: 9).map(\.id) == [second, first])
            #expect(try other.runs(limit: 9).map(\.id) == [theirs])
            #expect(try other.run(first) == nil)
        }
    }

    /// Guarantee: a killed run does not stay open for ever when the next deploy has another manifest; one that somebody
    /// works on, of another phase or of another selection is left alone.
    @Test(arguments: Engine.all) func runLeftBehindIsClosed(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            func start(_ identity: String, phase: String? = nil, selection: String = "everything") throws -> String {
                var draft = Sample.draft(identity)
                draft.phase = phase
                draft.selection = selection
                let run = try #require(try ledger.startRun(draft, jobs: Sample.scope(["t", "u"]), settled: 0)).id
                try ledger.addRunner("of \(identity)", run: run, host: "here", pid: 1)
                return run
            }
            let killed = try start("sha256:killed")
            let kept = [
                try start("sha256:phase", phase: "post-deploy"), try start("sha256:selection", selection: "one"),
            ]
            let alive = try start("sha256:alive")
            let jobs = try ledger.claimJobs(run: killed, runner: "of sha256:killed", limit: 1)
            try ledger.change("update {}runners set heartbeat_at = '2000-01-01' where run_id <> '\(alive)'")

            let run = try start("sha256:new")
            try ledger.closeRunsLeftBehind(by: Sample.draft("sha256:new"), run: run)

            for open in kept + [alive, run] { #expect(try ledger.run(open)?.status != .completed) }
            let closed = try #require(try ledger.run(killed))
            #expect(closed.status == .completed)
            #expect(closed.outcome == .cancelled)
            #expect(closed.counts.cancelled == 2)
            #expect(closed.stopReason?.contains(run) == true)
            // A runner that was only asleep finds out.
            #expect(try ledger.write([Sample.result(jobs[0])], run: killed, runner: "of sha256:killed") == 0)
            #expect(try ledger.run(killed)?.counts.cancelled == 2)
        }
    }

    /// Guarantee: who joins late brings jobs for stages that have passed; they are done, and the run ends.
    @Test(arguments: Engine.all) func lateTenantIsNotForgotten(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t"], stages: 2))
            var jobs = try ledger.claimJobs(run: run, runner: "a", limit: 9)
            #expect(try ledger.write([Sample.result(jobs[0], .queued, nextStage: 1)], run: run, runner: "a") == 1)
            try ledger.advanceRun(run, past: 0)
            let scope = Sample.scope(["t", "late"], [Sample.runbook("r"), Sample.runbook("s")])
            #expect(try ledger.startRun(Sample.draft(), jobs: scope, settled: 0)?.joined == true)
            #expect(try ledger.runProgress(run)?.openInStage == 2)
            jobs = try ledger.claimJobs(run: run, runner: "a", limit: 9)
            #expect(jobs.map(\.stage).sorted() == [0, 1])
            #expect(try ledger.completeRun(run) == false)
            #expect(try ledger.write(jobs.map { Sample.result($0) }, run: run, runner: "a") == 2)
            #expect(try ledger.completeRun(run))
        }
    }

    /// Guarantee: who joins behind a barrier that others failed at is blocked as they are.
    @Test(arguments: Engine.all) func lateTenantIsBlockedBehindAFailure(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t"], stages: 2))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 9)
            #expect(try ledger.write([Sample.result(jobs[0], .failed)], run: run, runner: "a") == 1)
            try ledger.advanceRun(run, past: 0)
            let scope = Sample.scope(["late"], stage: 1)
            #expect(try ledger.startRun(Sample.draft(), jobs: scope, settled: 0)?.joined == true)
            #expect(
                try ledger.values("select state, reason from {}jobs where tenant = 'late'") == [["blocked", "after"]])
            #expect(try ledger.completeRun(run))
        }
    }

    /// Guarantee (A12): of all who complete a run at once one wins, after the last job and never before.
    @Test(arguments: Engine.all) func oneOfManyCompletes(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            for round in 0..<10 {
                let identity = "sha256:\(round)"
                let tenants = Sample.names(6).map { "\(round)-\($0)" }
                let run = try #require(try ledger.begin(tenants, identity: identity, runner: nil))
                let wins = try await Threads.run(6) { index in
                    let ledger = try place.open()
                    defer { ledger.session.close() }
                    let runner = "\(round)-\(index)"
                    try ledger.addRunner(runner, run: run, host: "here", pid: 1)
                    let jobs = try ledger.claimJobs(run: run, runner: runner, limit: 1)
                    guard try ledger.completeRun(run) == false else { return -1 }
                    let state: JobState = index == 0 ? .failed : .succeeded
                    _ = try ledger.write(jobs.map { Sample.result($0, state) }, run: run, runner: runner)
                    return try ledger.completeRun(run) ? 1 : 0
                }
                #expect(wins.sorted() == [0, 0, 0, 0, 0, 1])
                let record = try #require(try ledger.run(run))
                #expect(record.status == .completed)
                #expect(record.outcome == .partiallySucceeded)
                #expect(record.counts == (try ledger.jobTally(run).tenants))
                #expect(record.counts.total == 6)
                #expect(record.counts.failed == 1)
                #expect(record.finishedAt != nil)
            }
        }
    }

    /// Guarantee: joining and completing at the same moment never leaves an open job in a completed run.
    @Test(arguments: Engine.all) func joiningDoesNotCrossCompletion(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            for round in 0..<15 {
                let identity = "sha256:\(round)"
                let run = try #require(try ledger.begin(["\(round)-t"], identity: identity, runner: "r\(round)"))
                let jobs = try ledger.claimJobs(run: run, runner: "r\(round)", limit: 1)
                #expect(try ledger.write(jobs.map { Sample.result($0) }, run: run, runner: "r\(round)") == 1)
                _ = try await Threads.run(4) { index in
                    let ledger = try place.open()
                    defer { ledger.session.close() }
                    if index % 2 == 0 {
                        _ = try ledger.completeRun(run)
                    } else {
                        _ = try ledger.startRun(
                            Sample.draft(identity), jobs: Sample.scope(["\(round)-late"]), settled: 0)
                    }
                }
            }
            let lost = try ledger.value(
                """
                select count(*) from {}jobs j join {}runs r on r.id = j.run_id
                where r.status = 'completed' and j.state in ('queued', 'running')
                """)
            #expect(lost?.integer == 0)
        }
    }

    /// Guarantee: what started a run is kept with it.
    @Test(arguments: Engine.all) func runKnowsWhereItCameFrom(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            var draft = Sample.draft()
            draft.phase = "pre-deploy"
            draft.revision = "abc"
            draft.initiator = Initiator(kind: "ci", name: "it's \"me\"", url: "https://ci.example/1")
            let run = try #require(try ledger.startRun(draft, jobs: Sample.scope(["t"]), settled: 2)).id
            let record = try #require(try ledger.run(run))
            #expect(record.phase == "pre-deploy")
            #expect(record.release == "v1")
            #expect(record.revision == "abc")
            #expect(record.initiator == draft.initiator)
            #expect(record.manifestDigest == "sha256:m")
            #expect(record.status == .running)
            #expect(record.outcome == nil)
            #expect(record.counts.total == 3)
            #expect(record.counts.processed == 2)
            #expect(try ledger.manifest(ofRun: run) == "{}")
        }
    }

    private func finish(_ tenants: [String], in ledger: Ledger) throws {
        let run = try #require(try ledger.begin(tenants))
        let jobs = try ledger.claimJobs(run: run, runner: "a", limit: tenants.count)
        #expect(try ledger.write(jobs.map { Sample.result($0) }, run: run, runner: "a") == tenants.count)
        #expect(try ledger.completeRun(run))
    }
}
