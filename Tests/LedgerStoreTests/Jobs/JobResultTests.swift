import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// What a batch of results leaves in the ledger.
@Suite struct JobResultTests {
    /// One tenant `t`, claimed by `a`.
    private func with(
        _ engine: Engine, _ body: (Ledger, String, ClaimedJob) throws -> Void
    ) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t"]))
            let job = try #require(try ledger.claimJobs(run: run, runner: "a", limit: 1).first)
            try body(ledger, run, job)
        }
    }

    private func record(_ ledger: Ledger, run: String, runner: String = "a", checksum: String = Sample.checksum) throws
    {
        try ledger.change(
            """
            insert into {}executions (workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner,
                started_at, finished_at)
            values ('default', 't', 'r', '1', 'succeeded', 1, $1, $2, $3,
                '2020-01-01T00:00:00.000Z', '2020-01-01T00:00:01.000Z')
            """, [.text(checksum), .text(run), .text(runner)])
    }

    private func counts(_ ledger: Ledger) throws -> [Int?] {
        [
            try ledger.value("select count(*) from {}executions")?.integer,
            try ledger.value("select count(*) from {}attempts")?.integer,
        ]
    }

    /// Guarantee: every fact of a failure is kept, in its row and in the history.
    @Test(arguments: Engine.all) func failureIsKeptWhole(_ engine: Engine) async throws {
        try await with(engine) { ledger, run, job throws in
            var outcome = Sample.outcome(.failed)
            outcome.failure?.message = "quote ' \" back\\slash \\u0000 tab\t line\n ü 🐘 $1 {s}"
            outcome.output = "nul \0 end"
            #expect(try ledger.write([Sample.result(job, .failed, [outcome])], run: run, runner: "a") == 1)
            let columns = "state, sqlstate, message, detail, hint, file, line, statement, attempt, run_id, runner"
            let expected: [DatabaseValue] = [
                "failed", "22012", DatabaseValue(outcome.failure?.message), "a detail", "a hint", "sql/1.sql", 3,
                "select 1/0", 1, .text(run), "a",
            ]
            #expect(try ledger.values("select \(columns) from {}executions") == [expected])
            #expect(try ledger.values("select \(columns) from {}attempts") == [expected])
            let more = try ledger.values("select clean, duration_ms, rows_affected, output from {}attempts")
            #expect(more[0][0].boolean == true)
            #expect(more[0][1] == 1500)
            #expect(more[0][2] == .null)
            #expect(more[0][3] == "nul \u{fffd} end")
            let seconds =
                ledger.dialect == .postgresql
                ? "extract(epoch from finished_at - started_at)"
                : "(julianday(finished_at) - julianday(started_at)) * 86400"
            let spent = try ledger.value("select \(seconds) between 1.4 and 1.7 from {}executions")
            #expect(spent?.boolean == true)
        }
    }

    /// Guarantee 8: a finished identity is never overwritten by a failure; the history still tells of it.
    @Test(arguments: Engine.all, [ExecutionState.failed, .unknown])
    func finishedIsNeverOverwritten(_ engine: Engine, _ state: ExecutionState) async throws {
        for checksum in [Sample.checksum, "sha256:before"] {
            try await with(engine) { ledger, run, job throws in
                try record(ledger, run: run, checksum: checksum)
                let before = try ledger.values("select * from {}executions")
                let result = Sample.result(job, state == .failed ? .failed : .unknown, [Sample.outcome(state)])
                #expect(try ledger.write([result], run: run, runner: "a") == 1)
                #expect(try ledger.values("select * from {}executions") == before)
                #expect(try ledger.values("select state, attempt from {}attempts") == [[.text(state.rawValue), 1]])
            }
        }
    }

    /// Guarantee: what was recorded beside the work is counted once, gets its details and keeps its times.
    @Test(arguments: Engine.all) func recordedSuccessIsCountedOnce(_ engine: Engine) async throws {
        for (tries, attempts) in [(1, 1), (3, 3)] {
            try await with(engine) { ledger, run, job throws in
                try record(ledger, run: run)
                let before = try ledger.values("select started_at, finished_at from {}executions")
                let outcome = Sample.outcome(.succeeded, tries: tries, isRecorded: true)
                #expect(try ledger.write([Sample.result(job, .succeeded, [outcome])], run: run, runner: "a") == 1)
                #expect(try ledger.values("select started_at, finished_at from {}executions") == before)
                let row = try ledger.values("select state, attempt from {}executions")
                #expect(row == [["succeeded", DatabaseValue(attempts)]])
                #expect(try counts(ledger) == [1, 1])
                #expect(
                    try ledger.values("select attempt, rows_affected from {}attempts") == [
                        [DatabaseValue(attempts), 7]
                    ])
            }
        }
    }

    /// Guarantee: a job whose commit did not wait for the disk, and is not there, is given back, and nothing is said of it;
    /// where it is there, it counts.
    @Test(.needsPostgres, arguments: [nil, 5]) func lostWorkIsGivenBack(_ limit: Int?) async throws {
        let rules = [StopRule(tenants: 1, limits: StopLimits(maxFailures: limit.map { .count($0) }))]
        for isThere in [false, true] {
            try await with(.postgresql) { ledger, run, job throws in
                if isThere { try record(ledger, run: run) }
                var outcome = Sample.outcome(.succeeded, isRecorded: true)
                outcome.isOnDisk = false
                let result = Sample.result(job, .succeeded, [outcome])
                let written = try ledger.write([result], run: run, runner: "a", under: rules)
                #expect((written.count, written.lost) == (1, isThere ? 0 : 1))
                #expect(try counts(ledger) == (isThere ? [1, 1] : [0, 0]))
                let jobs = try ledger.values("select state, runner, finished_at is null from {}jobs")
                #expect(jobs == [isThere ? ["succeeded", "a", false] : ["queued", .null, true]])
            }
        }
    }

    /// Guarantee: tries of several runs add up.
    @Test(arguments: Engine.all) func triesAddUp(_ engine: Engine) async throws {
        try await with(engine) { ledger, run, job throws in
            let failed = Sample.outcome(.failed, tries: 3)
            #expect(try ledger.write([Sample.result(job, .failed, [failed])], run: run, runner: "a") == 1)
            let second = try #require(try ledger.begin(["t"], identity: "sha256:second", runner: "b"))
            let next = try ledger.claimJobs(run: second, runner: "b", limit: 1)
            #expect(try ledger.write([Sample.result(next[0])], run: second, runner: "b") == 1)
            let row = try ledger.values("select state, attempt, message, sqlstate, clean, run_id from {}executions")
            #expect(row == [["succeeded", 4, .null, .null, .null, .text(second)]])
            let history = try ledger.values("select state, attempt from {}attempts order by id")
            #expect(history == [["failed", 3], ["succeeded", 4]])
        }
    }

    /// Guarantee 1: a receipt found in a tenant makes the ledger follow, without counting a try.
    @Test(arguments: Engine.all) func remoteReceiptIsFollowed(_ engine: Engine) async throws {
        try await with(engine) { ledger, run, job throws in
            let found = Sample.outcome(.succeeded, wasDone: true, tries: 0)
            #expect(try ledger.write([Sample.result(job, .skipped, [found])], run: run, runner: "a") == 1)
            #expect(try ledger.values("select state, attempt from {}executions") == [["succeeded", 0]])
            #expect(try counts(ledger) == [1, 1])
        }
        try await with(engine) { ledger, run, job throws in
            // What another runner has written stays as it is.
            try record(ledger, run: "other", runner: "b")
            let before = try ledger.values("select * from {}executions")
            let found = Sample.outcome(.succeeded, wasDone: true, tries: 0)
            #expect(try ledger.write([Sample.result(job, .skipped, [found])], run: run, runner: "a") == 1)
            #expect(try ledger.values("select * from {}executions") == before)
            #expect(try counts(ledger) == [1, 0])
        }
        try await with(engine) { ledger, run, job throws in
            // What the ledger's own row says is no news.
            let known = Sample.outcome(.succeeded, wasDone: true, tries: 0, isRecorded: true)
            #expect(try ledger.write([Sample.result(job, .skipped, [known])], run: run, runner: "a") == 1)
            #expect(try counts(ledger) == [0, 0])
        }
    }

    /// Guarantee: what a runner committed and died before it wrote is this run's work, not skipped, and has its row in the
    /// history under the name of the one who did it; another run's work is skipped, and so is a tenant that left.
    @Test(arguments: Engine.all) func workOfADeadRunnerIsTheRuns(_ engine: Engine) async throws {
        for (isOurs, message) in [(true, nil), (false, nil), (true, "the tenant is no longer in the source")] {
            try await with(engine) { ledger, run, job throws in
                try record(ledger, run: isOurs ? run : "before", runner: "dead")
                try ledger.change("update {}jobs set attempt = 2, runner = 'b'")
                var result = Sample.result(job, .skipped, [])
                result.job.attempt = 2
                result.message = message
                #expect(try ledger.write([result], run: run, runner: "b") == 1)
                let expected: DatabaseValue = isOurs && message == nil ? "succeeded" : "skipped"
                #expect(try ledger.values("select state from {}jobs") == [[expected]])
                let history = try ledger.values(
                    "select runbook, key, state, attempt, run_id, runner, duration_ms from {}attempts")
                #expect(history == (isOurs ? [["r", "1", "succeeded", 1, .text(run), "dead", 1000]] : []))
                // Once: a job that is claimed again later finds it there.
                try ledger.change("update {}jobs set attempt = 3, state = 'running'")
                result.job.attempt = 3
                #expect(try ledger.write([result], run: run, runner: "b") == 1)
                #expect(try counts(ledger) == [1, isOurs ? 1 : 0])
            }
        }
    }

    /// Guarantee: a body that ran again under the same key replaces what was done.
    @Test(arguments: Engine.all) func rerunReplacesTheRow(_ engine: Engine) async throws {
        try await with(engine) { ledger, run, job throws in
            try record(ledger, run: "before", checksum: "sha256:before")
            #expect(try ledger.write([Sample.result(job)], run: run, runner: "a") == 1)
            let row = try ledger.values("select checksum, attempt, run_id from {}executions")
            #expect(row == [[.text(Sample.checksum), 2, .text(run)]])
        }
    }

    /// Guarantee: a batch that is written twice is written once.
    @Test(arguments: Engine.all) func writingTwiceIsWritingOnce(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(Sample.names(5)))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 5)
            let batch = [
                Sample.result(jobs[0]), Sample.result(jobs[1], .failed), Sample.result(jobs[2], .queued, []),
                Sample.result(jobs[3], .queued, [Sample.outcome(.succeeded)], nextStage: 1),
                JobResult(job: jobs[4], state: .blocked, reason: .lock, message: "busy"),
            ]
            #expect(try ledger.write(batch, run: run, runner: "a") == 5)
            let tables = try ["executions", "attempts", "jobs"].map { try ledger.values("select * from {}\($0)") }
            #expect(try ledger.write(batch, run: run, runner: "a") == 0)
            #expect(
                try ["executions", "attempts", "jobs"].map { try ledger.values("select * from {}\($0)") } == tables)
            let rows = try ledger.values(
                "select state, reason, message, stage, runner from {}jobs order by position")
            #expect(
                rows == [
                    ["succeeded", nil, nil, 0, "a"], ["failed", nil, nil, 0, "a"], ["queued", nil, nil, 0, nil],
                    ["queued", nil, nil, 1, nil], ["blocked", "lock", "busy", 0, "a"],
                ])
        }
    }

    /// Guarantee: drift of a job stays with it, and is reported with the body that met it.
    @Test(arguments: Engine.all) func driftIsReported(_ engine: Engine) async throws {
        try await with(engine) { ledger, run, job throws in
            try record(ledger, run: "before", checksum: "sha256:before")
            let drifted = Sample.outcome(.failed, hasDrifted: true, tries: 0, message: "done with another body")
            let result = JobResult(job: job, state: .failed, hasDrifted: true, executions: [drifted])
            #expect(try ledger.write([result], run: run, runner: "a") == 1)
            #expect(try ledger.jobTally(run).drifted == 1)
            let failures = try ledger.failures(ofRun: run)
            #expect(failures.map(\.state) == ["drifted"])
            #expect(failures.map(\.message) == ["done with another body"])
            #expect(try ledger.value("select state from {}executions") == "succeeded")
        }
    }

    /// Guarantee: failures of a run are those that stand: in the order of the jobs, without what was done since, and
    /// with jobs whose lock was not free.
    @Test(arguments: Engine.all) func failuresAreThoseThatStand(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["z", "y", "x", "w"]))
            var jobs = try ledger.claimJobs(run: run, runner: "a", limit: 4)
            let batch = [
                JobResult(job: jobs[0], state: .blocked, reason: .lock, message: "busy"),
                Sample.result(jobs[1], .failed), Sample.result(jobs[2], .unknown, [Sample.outcome(.unknown)]),
                Sample.result(jobs[3], .queued, [Sample.outcome(.failed)]),
            ]
            #expect(try ledger.write(batch, run: run, runner: "a") == 4)
            jobs = try ledger.claimJobs(run: run, runner: "a", limit: 4)
            #expect(try ledger.write([Sample.result(jobs[0])], run: run, runner: "a") == 1)
            let failures = try ledger.failures(ofRun: run)
            #expect(failures.map(\.tenant) == ["y", "x", "z"])
            #expect(failures.map(\.state) == ["failed", "unknown", "blocked"])
            #expect(failures[2].reason == .lock)
            #expect(failures[2].message == "busy")
            let counts = try ledger.runbookSummaries(ofRun: run)[Identity(runbook: "r", key: "1")]?.counts
            #expect(counts?.succeeded == 1)
            #expect(counts?.failed == 1)
            #expect(counts?.unknown == 1)
        }
    }
}
