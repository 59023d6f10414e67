import DatabaseAccess
import RunbookModel
import Testing

@testable import LedgerStore

@Suite struct ContentsTests {
    private static let runbooks = [Sample.runbook("r"), Sample.runbook("s", key: "2")]

    /// Three tenants with `r` done and `s` failed in one of them; the first run's work is sealed.
    private func fill(_ ledger: Ledger) throws {
        try ledger.remember(
            tenants: ["t", "u", "v"].map { Tenant(id: $0) }, runbooks: Self.runbooks + [Sample.runbook("never")])
        let run = try #require(try ledger.begin(["t", "u", "v"], [Self.runbooks[0]], identity: "sha256:1"))
        let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 9)
        #expect(try ledger.write(jobs.map { Sample.result($0) }, run: run, runner: "a") == 3)
        #expect(try ledger.completeRun(run))
        var last: String?
        repeat { last = try ledger.seal(after: last) } while last != nil
        #expect(try ledger.value("select count(*) from {}executions")?.integer == 0)
        let next = try #require(try ledger.begin(["t", "u"], [Self.runbooks[1]], identity: "sha256:2", runner: "b"))
        let more = try ledger.claimJobs(run: next, runner: "b", limit: 9)
        let results = more.map { job in
            let isDone = job.tenant == "t"
            return Sample.result(
                job, isDone ? .succeeded : .failed,
                [Sample.outcome(isDone ? .succeeded : .failed, Self.runbooks[1])])
        }
        #expect(try ledger.write(results, run: next, runner: "b") == 2)
        #expect(try ledger.completeRun(next))
    }

    /// Guarantee: counts say the same whether a record stands in a set or in a row of its own, and name what no tenant
    /// has yet.
    @Test(arguments: Engine.all) func identitiesAreCounted(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            try fill(ledger)
            let note = AuditNote(kind: "resolve_retry", actor: "octo", reason: "x")
            let seen = try #require(try ledger.records(of: "v")[Self.runbooks[0].identity]?.execution)
            let change = RecordChange(
                Self.runbooks[0].identity, seen: seen, state: .rolledBack, checksum: Sample.checksum)
            #expect(try ledger.change([change], tenant: "v", note: note).count == 1)

            let contents = try ledger.contents()

            #expect(contents.map { "\($0.runbook)@\($0.key)" } == ["r@1", "s@2", "never@1"])
            #expect(contents.map(\.succeeded) == [2, 1, 0])
            #expect(contents.map(\.rolledBack) == [1, 0, 0])
            #expect(contents.map(\.failed) == [0, 1, 0])
            #expect(contents.allSatisfy { $0.isListed })
        }
    }

    /// Guarantee: pages of any size together hold every record once, in order.
    @Test(arguments: Engine.all, [1, 2, 3, 50]) func pagesHoldEverythingOnce(_ engine: Engine, _ limit: Int)
        async throws
    {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            try fill(ledger)
            for onlyDone in [true, false] {
                var found: [String] = []
                var last: String?
                repeat {
                    let page = try ledger.page(after: last, onlyDone: onlyDone, limit: limit)
                    found += page.records.map { "\($0.tenant ?? "-") \($0.runbook) \($0.state.rawValue)" }
                    last = page.last
                } while last != nil
                let done = ["t r succeeded", "t s succeeded", "u r succeeded"]
                #expect(found == done + (onlyDone ? [] : ["u s failed"]) + ["v r succeeded"])
            }
        }
    }
}
