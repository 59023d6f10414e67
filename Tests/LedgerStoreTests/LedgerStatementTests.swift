import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

@Suite struct LedgerStatementTests {
    /// Guarantee: every statement of the ledger is one that its engine understands.
    @Test(arguments: Engine.all) func everyStatementWorks(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let runbooks = [Sample.runbook("r"), Sample.runbook("s", match: ["plan": ["pro"]])]
            let tenants = [Tenant(id: "t1", labels: ["plan": "pro"]), Tenant(id: "t2"), Tenant(id: "t3")]
            #expect(try ledger.lastTenantCount() == nil)
            try ledger.remember(tenants: tenants, runbooks: runbooks)
            try ledger.remember(tenants: tenants, runbooks: runbooks)
            #expect(try ledger.lastTenantCount() == 3)
            let run = try #require(try ledger.begin(["t1", "t2", "t3"]))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 2)
            #expect(jobs.map(\.tenant) == ["t1", "t2"])
            try ledger.beat("a")
            #expect(try ledger.releaseSilentRunners(of: run) == 0)
            let written = try ledger.write(
                [Sample.result(jobs[0]), Sample.result(jobs[1], .failed)], run: run, runner: "a")
            #expect(written == 2)
            #expect(try ledger.countUnsettled(in: Sample.scope(["t1", "t2", "t3"])) == 2)
            var seen: [Int: [Int: RecordedExecution]] = [:]
            try ledger.forEachUnsettled(in: Sample.scope(["t1", "t2", "t3"])) { seen[$0] = $1.executions }
            #expect(seen[1]?[0] == RecordedExecution(state: .failed, clean: true, checksum: "sha256:a", attempt: 1))
            #expect(seen[2] == [:])
            #expect(try ledger.completeRun(run) == false)
            try ledger.endRunner("a", run: run)
            try ledger.addRunner("b", run: run, host: "here", pid: 2)
            let last = try ledger.claimJobs(run: run, runner: "b", limit: 2)
            #expect(last.count == 1)
            #expect(try ledger.runProgress(run)?.open == 1)
            #expect(try ledger.write([Sample.result(last[0])], run: run, runner: "b") == 1)
            try ledger.advanceRun(run, past: 0)
            #expect(try ledger.completeRun(run) == true)
            #expect(try ledger.completeRun(run) == false)
            let record = try #require(try ledger.run(run))
            #expect(record.outcome == .partiallySucceeded)
            #expect(record.counts.total == 3)
            #expect(try ledger.runs(limit: 5).map(\.id) == [run])
            #expect(try ledger.manifest(ofRun: run) == "{}")
            #expect(try ledger.failures(ofRun: run).map(\.tenant) == ["t2"])
            #expect(try ledger.standingFailures(limit: 5).map(\.tenant) == ["t2"])
            let summary = try #require(try ledger.runbookSummaries(ofRun: run)[runbooks[0].identity])
            #expect(summary.counts.succeeded == 2)
            #expect(summary.counts.failed == 1)
            #expect(summary.rowsAffected == 14)
            let reader = try place.read()
            defer { reader.session.close() }
            try reader.reading { () throws(DatabaseError) in
                #expect(try reader.states(in: Sample.scope(["t1", "t2", "t3"])).byIdentity[0].done == 2)
                #expect(try reader.lastSeen().tenants == ["t1", "t2", "t3"])
                #expect(try reader.keys(of: "r") == ["1"])
                #expect(try reader.recorded(tenant: "t2", identities: [runbooks[0].identity]).count == 1)
            }
        }
    }
}
