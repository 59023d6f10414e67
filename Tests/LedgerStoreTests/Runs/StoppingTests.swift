import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

@Suite struct StoppingTests {
    private let rule = StopRule(tenants: 9, limits: StopLimits(maxFailures: .count(0)))

    /// Guarantee: a failure that stops the run and a runner that joins it at that moment do not wait for each other.
    @Test(arguments: Engine.all) func joiningWhileItIsStopped(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let names = Sample.names(20)
            for round in 0..<15 {
                let identity = "sha256:\(round)"
                let run = try #require(try ledger.begin(names, identity: identity, runner: "a\(round)"))
                let jobs = try ledger.claimJobs(run: run, runner: "a\(round)", limit: 20)
                _ = try await Threads.run(4) { number in
                    let other = try place.open()
                    defer { other.session.close() }
                    if number == 0 {
                        let results = jobs.map { Sample.result($0, .failed) }
                        _ = try other.write(results, run: run, runner: "a\(round)", under: [rule])
                    } else {
                        _ = try other.startRun(Sample.draft(identity), jobs: Sample.scope(names), settled: 0)
                    }
                    return 0
                }
                #expect(try ledger.run(run)?.stopReason?.hasPrefix("max_failures 0: 20 tenants failed") == true)
                _ = try ledger.completeRun(run)
            }
        }
    }

    /// Guarantee: what is given back after the stop is cancelled, nothing is claimed, and the run completes once nothing is
    /// under way.
    @Test(arguments: Engine.all) func stoppedRunEnds(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(Sample.names(6)))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 3)
            let written = try ledger.write([Sample.result(jobs[0], .failed)], run: run, runner: "a", under: [rule])
            #expect(written.stopReason == "max_failures 0: 1 tenant failed, and none may")
            #expect(written.tallies[0]?.failed == 1)
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 3).isEmpty)
            #expect(try ledger.stop(run, reason: "later") == false)
            #expect(try ledger.runProgress(run)?.open == 2)
            #expect(try ledger.completeRun(run) == false)
            let back = [Sample.result(jobs[1]), JobResult(job: jobs[2], state: .queued)]
            #expect(try ledger.write(back, run: run, runner: "a", under: [rule]).count == 2)
            #expect(try ledger.runProgress(run)?.open == 0)
            #expect(try ledger.completeRun(run))
            let counts = try #require(try ledger.run(run)).counts
            #expect(counts.failed == 1)
            #expect(counts.succeeded == 1)
            #expect(counts.cancelled == 4)
        }
    }
}
