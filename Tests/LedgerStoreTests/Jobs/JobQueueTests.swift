import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// The queue: who gets which job, and when.
@Suite struct JobQueueTests {
    /// Guarantee: however many claim at once, every job is claimed by one of them, once.
    @Test(arguments: Engine.all) func everyJobIsClaimedOnce(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let run = try #require(try ledger.begin(Sample.names(2000)))
            let claims = try await Threads.run(8) { index in
                let ledger = try place.open()
                defer { ledger.session.close() }
                var mine: [ClaimedJob] = []
                while true {
                    let some = try ledger.claimJobs(run: run, runner: "runner-\(index)", limit: 32)
                    if some.isEmpty { return mine }
                    mine += some
                }
            }
            let all = claims.flatMap(\.self)
            #expect(all.map(\.tenant).sorted() == Sample.names(2000))
            #expect(all.allSatisfy { $0.attempt == 1 })
            // SQLite's fence counts calls, PostgreSQL's counts jobs; a tenant's own only has to grow.
            #expect(
                try ledger.value("select count(*) from {}jobs where state = 'running' and fence > 0")?.integer == 2000)
        }
    }

    /// Guarantee: a claim reads about as many jobs as it takes, also when the server's statistics know nothing of the
    /// run, as they do until it has gone on for a while.
    @Test(.needsPostgres) func aClaimReadsNoMoreThanItTakes() async throws {
        try await LedgerPlace.withLedger(.postgresql) { ledger, _ in
            try ledger.change("alter table {}jobs set (autovacuum_enabled = off)")
            let first = try #require(try ledger.begin(["t"], identity: "sha256:first", runner: "b"))
            _ = try ledger.claimJobs(run: first, runner: "a", limit: 1)
            try ledger.session.run("ANALYZE")
            let run = try #require(try ledger.begin(Sample.names(3000)))
            let read = """
                select seq_tup_read + idx_tup_fetch from pg_catalog.pg_stat_xact_user_tables
                where schemaname = 'muster' and relname = 'jobs'
                """
            try ledger.writing { () throws(DatabaseError) in
                let before = try ledger.session.row(read)?[0].integer ?? 0
                #expect(try ledger.claimJobs(run: run, runner: "a", limit: 32).count == 32)
                let after = try ledger.session.row(read)?[0].integer ?? .max
                #expect(after - before < 200)
            }
        }
    }

    /// Guarantee: jobs are claimed in their order, within the limit.
    @Test(arguments: Engine.all) func jobsComeInTheirOrder(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["z", "a", "m", "b"]))
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 3).map(\.tenant) == ["z", "a", "m"])
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 3).map(\.tenant) == ["b"])
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 3).isEmpty)
            #expect(try ledger.claimJobs(run: "no such run", runner: "a", limit: 3).isEmpty)
        }
    }

    /// Guarantee 5: each time a job is claimed its attempt and its fence grow.
    @Test(arguments: Engine.all) func attemptsAndFencesOnlyGrow(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u"]))
            var last = (attempt: 0, fence: 0)
            for _ in 0..<4 {
                let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 2)
                let job = try #require(jobs.first { $0.tenant == "t" })
                #expect(job.attempt == last.attempt + 1)
                #expect(job.fence > last.fence)
                last = (job.attempt, job.fence)
                let back = jobs.map { Sample.result($0, .queued, []) }
                #expect(try ledger.write(back, run: run, runner: "a") == 2)
            }
            // A later run's claims are later still.
            let other = try #require(try ledger.begin(["t"], identity: "sha256:other", runner: "b"))
            #expect(try ledger.claimJobs(run: other, runner: "b", limit: 1)[0].fence > last.fence)
        }
    }

    /// Guarantee: a job of a later stage waits until its stage has come.
    @Test(arguments: Engine.all) func laterStagesWait(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            var scope = Sample.scope(["t", "u", "v"])
            scope.tenants[2].stage = 1
            let run = try #require(try ledger.startRun(Sample.draft(stages: 3), jobs: scope, settled: 0)).id
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 10)
            #expect(jobs.map(\.tenant) == ["t", "u"])
            try ledger.advanceRun(run, past: 0)
            #expect(try ledger.runProgress(run)?.stage == 0)
            let results = [Sample.result(jobs[0], .queued, nextStage: 1), Sample.result(jobs[1])]
            #expect(try ledger.write(results, run: run, runner: "a") == 2)
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 10).isEmpty)
            #expect(try ledger.runProgress(run)?.openInStage == 0)
            #expect(try ledger.runProgress(run)?.open == 2)
            try ledger.advanceRun(run, past: 0)
            try ledger.advanceRun(run, past: 0)
            #expect(try ledger.runProgress(run)?.stage == 1)
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 10).map(\.tenant) == ["t", "v"])
        }
    }

    /// Guarantee: a barrier is passed by all or by none.
    @Test(arguments: Engine.all, [JobState.failed, .blocked, .unknown, .cancelled])
    func failureBeforeABarrierBlocksWhatIsBehind(_ engine: Engine, _ state: JobState) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u"], stages: 2))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 10)
            let results = [
                Sample.result(jobs[0], .queued, nextStage: 1), Sample.result(jobs[1], state, []),
            ]
            #expect(try ledger.write(results, run: run, runner: "a") == 2)
            try ledger.advanceRun(run, past: 0)
            let row = try ledger.values("select state, reason, finished_at is not null from {}jobs where tenant = 't'")
            #expect(row.first?.prefix(2) == ["blocked", "after"])
            #expect(row.first?[2].boolean == true)
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 10).isEmpty)
            #expect(try ledger.completeRun(run))
        }
    }

    /// Guarantee: many that move a run on at once move it by one stage.
    @Test(arguments: Engine.all) func runMovesOneStageAtATime(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let run = try #require(try ledger.begin(["t"], stages: 5, stage: 4))
            _ = try await Threads.run(6) { _ in
                let ledger = try place.open()
                defer { ledger.session.close() }
                try ledger.advanceRun(run, past: 0)
            }
            #expect(try ledger.runProgress(run)?.stage == 1)
        }
    }

    /// Guarantee: only the jobs of those who are silent, or have said goodbye, go back to the queue.
    @Test(arguments: Engine.all) func onlySilentRunnersLoseTheirJobs(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(Sample.names(9)))
            for runner in ["silent", "gone"] { try ledger.addRunner(runner, run: run, host: "here", pid: 1) }
            for runner in ["a", "silent", "gone"] {
                #expect(try ledger.claimJobs(run: run, runner: runner, limit: 2).count == 2)
            }
            #expect(try ledger.releaseSilentRunners(of: run) == 0)
            let old = ledger.dialect == .postgresql ? "now() - interval '16 seconds'" : "'2020-01-01T00:00:00.000Z'"
            try ledger.change("update {}runners set heartbeat_at = \(old) where id = 'silent'")
            try ledger.change("update {}runners set ended_at = \(old) where id = 'gone'")
            #expect(try ledger.releaseSilentRunners(of: run) == 4)
            #expect(try ledger.releaseSilentRunners(of: run) == 0)
            let left = try ledger.values("select tenant, runner from {}jobs where state = 'running' order by tenant")
            #expect(left == [["t00000", "a"], ["t00001", "a"]])
            // Who beats again is not silent.
            _ = try ledger.claimJobs(run: run, runner: "silent", limit: 1)
            try ledger.beat("silent")
            #expect(try ledger.releaseSilentRunners(of: run) == 0)
        }
    }

    /// Guarantee: a runner that leaves gives back what it had, and nothing of what others have.
    @Test(arguments: Engine.all) func goodbyeGivesBackWhatIsLeft(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(Sample.names(4)))
            let mine = try ledger.claimJobs(run: run, runner: "a", limit: 2)
            _ = try ledger.claimJobs(run: run, runner: "b", limit: 1)
            #expect(try ledger.write([Sample.result(mine[0])], run: run, runner: "a") == 1)
            try ledger.endRunner("a", run: run)
            let states = try ledger.values("select state from {}jobs order by position").map { $0[0].text }
            #expect(states == ["succeeded", "queued", "running", "queued"])
            #expect(try ledger.value("select ended_at is not null from {}runners where id = 'a'")?.boolean == true)
        }
    }

    /// Guarantee 5: what a superseded runner writes changes nothing: no job, no execution, no history.
    @Test(arguments: Engine.all) func supersededRunnerWritesNothing(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u"]))
            let old = try ledger.claimJobs(run: run, runner: "a", limit: 2)
            try ledger.endRunner("a", run: run)
            // The same runner again, and another one: neither is the claim that ended.
            let again = try ledger.claimJobs(run: run, runner: "a", limit: 1)
            let other = try ledger.claimJobs(run: run, runner: "b", limit: 1)
            let stale = old.map { Sample.result($0) }
            #expect(try ledger.write(stale, run: run, runner: "a") == 0)
            #expect(try ledger.write(stale, run: run, runner: "b") == 0)
            #expect(try ledger.value("select count(*) from {}executions")?.integer == 0)
            #expect(try ledger.value("select count(*) from {}attempts")?.integer == 0)
            #expect(try ledger.value("select count(*) from {}jobs where state = 'running'")?.integer == 2)
            // In one batch with a valid result the stale one is left out.
            let mixed = [Sample.result(old[0], .failed), Sample.result(again[0]), Sample.result(other[0])]
            #expect(try ledger.write(mixed, run: run, runner: "a") == 1)
            let executions = try ledger.values("select tenant, state from {}executions")
            #expect(executions == [["t", "succeeded"]])
        }
    }
}
