import DatabaseAccess
import RunbookModel
import Testing

@testable import LedgerStore

@Suite struct CancellingTests {
    private static let note = AuditNote(kind: "cancel_run", actor: "octo", reason: "the wrong release")

    /// Guarantee: what is open is cancelled and the run completed in one act, which is kept with who and why; what was
    /// done stays done, and the runner that had a job finds that it is its own no more.
    @Test(arguments: Engine.all) func openRunIsCancelled(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u", "v"]))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 2)
            #expect(try ledger.write([Sample.result(jobs[0])], run: run, runner: "a") == 1)

            let cancelling = try ledger.cancelRun(run, note: Self.note)

            #expect(cancelling == Cancelling(wasOpen: true, jobs: 2, runners: 1))
            let record = try #require(try ledger.run(run))
            #expect(record.status == .completed)
            #expect(record.outcome == .cancelled)
            #expect(record.stopReason == "cancelled by octo: the wrong release")
            #expect(record.counts.succeeded == 1)
            #expect(record.counts.cancelled == 2)
            #expect(try ledger.isCancelled(run))
            #expect(try ledger.write([Sample.result(jobs[1])], run: run, runner: "a") == 0)
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 9).isEmpty)
            let events = try ledger.values("select run_id, kind, actor, reason from {}events")
            #expect(events == [[.text(run), .text("cancel_run"), .text("octo"), .text("the wrong release")]])

            let next = try #require(
                try ledger.startRun(Sample.draft(), jobs: Sample.scope(["t", "u", "v"]), settled: 0))
            #expect(next.id != run)
            #expect(!next.joined)
            #expect(try ledger.run(next.id)?.counts.skipped == 1, "t is done")
        }
    }

    /// Guarantee: what was done in a tenant, beside its runner's word, has its row in the history although its job was
    /// cancelled: what was done before by the cancel, what came after it by the runner's goodbye or by the next run. Once.
    @Test(arguments: Engine.all, [false, true]) func whatWasDoneIsHistory(
        _ engine: Engine, saysGoodbye: Bool
    ) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u", "v"]))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 2)
            func record(_ tenant: String) throws {
                // As the functions do that record beside a script.
                try ledger.change(
                    """
                    insert into {}executions (workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner,
                        started_at, finished_at)
                    values ('default', '\(tenant)', 'r', '1', 'succeeded', 1, '\(Sample.checksum)', '\(run)', 'a',
                        current_timestamp, current_timestamp)
                    """)
            }
            let history = "select tenant, state, run_id from {}attempts order by tenant"
            try record("t")
            _ = try ledger.cancelRun(run, note: Self.note)
            #expect(try ledger.values(history) == [[.text("t"), .text("succeeded"), .text(run)]])
            try record("u")
            #expect(try ledger.write(jobs.map { Sample.result($0) }, run: run, runner: "a") == 0)
            if saysGoodbye {
                try ledger.endRunner("a", run: run)
                #expect(try ledger.values(history).map { $0[0] } == [.text("t"), .text("u")])
            }
            let next = try ledger.startRun(Sample.draft(), jobs: Sample.scope(["t", "u", "v"]), settled: 0)
            #expect(next?.joined == false)
            #expect(try ledger.values(history).map { $0[0] } == [.text("t"), .text("u")])
        }
    }

    /// Guarantee: a run that ended is left as it is, one of another workspace or of no name is not found, and neither
    /// leaves a trace.
    @Test(arguments: Engine.all) func otherRunsAreLeftAlone(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let run = try #require(try ledger.begin(["t"]))
            let other = try place.open(workspace: "other")
            defer { other.session.close() }
            #expect(try other.cancelRun(run, note: Self.note) == nil)
            #expect(try ledger.cancelRun("01J", note: Self.note) == nil)
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 1)
            #expect(try ledger.write([Sample.result(jobs[0])], run: run, runner: "a") == 1)
            #expect(try ledger.completeRun(run))
            #expect(try ledger.cancelRun(run, note: Self.note)?.wasOpen == false)
            #expect(try ledger.run(run)?.outcome == .succeeded)
            #expect(try ledger.isCancelled(run) == false)
            #expect(try ledger.value("select count(*) from {}events")?.integer == 0)
        }
    }

    /// Guarantee: a run whose last job had ended, and whose runner had not said so yet, ends as its jobs say.
    @Test(arguments: Engine.all) func finishedRunIsCompleted(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t"]))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 1)
            #expect(try ledger.write([Sample.result(jobs[0], .failed)], run: run, runner: "a") == 1)
            #expect(try ledger.cancelRun(run, note: Self.note)?.jobs == 0)
            let record = try #require(try ledger.run(run))
            #expect(record.status == .completed)
            #expect(record.outcome == .failed)
            #expect(record.stopReason == nil)
        }
    }

    /// Guarantee: cancelling while eight runners write their results deadlocks nobody, whatever the order of their locks.
    @Test func cancellingBesideWritersDeadlocksNobody() async throws {
        guard Engine.all.contains(.postgresql) else { return }
        try await LedgerPlace.withLedger(.postgresql) { ledger, place in
            let names = Sample.names(400)
            for _ in 0..<5 {
                let run = try #require(try ledger.begin(names, runner: nil))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            let own = try place.open()
                            defer { own.session.close() }
                            while true {
                                var jobs = try own.claimJobs(run: run, runner: "r\(number)", limit: 16)
                                if jobs.isEmpty { return }
                                if number.isMultiple(of: 2) { jobs.reverse() }
                                _ = try own.write(
                                    jobs.map { Sample.result($0, .failed) }, run: run, runner: "r\(number)")
                            }
                        }
                    }
                    group.addTask {
                        let own = try place.open()
                        defer { own.session.close() }
                        #expect(try own.cancelRun(run, note: Self.note) != nil)
                    }
                    try await group.waitForAll()
                }
                #expect(try ledger.run(run)?.status == .completed)
            }
        }
    }
}
