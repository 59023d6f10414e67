import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// History that is older than the retention.
@Suite struct FoldingTests {
    private let day = 86_400

    /// Guarantee: what is old goes in bounded parts, what is young stays; counts, failures and what is done stay too.
    @Test(arguments: Engine.all) func oldHistoryGoes(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let tenants = Sample.names(9)
            let old = try #require(
                try SealingTests.deploy(ledger, tenants, [Sample.runbook("r")]) { tenant, _ in
                    tenant == "t00001" ? .failed : .succeeded
                })
            try ledger.sealAll()
            let young = try #require(
                try SealingTests.deploy(ledger, tenants, [Sample.runbook("s")], identity: "sha256:2"))
            try ledger.addRunner("a", run: old, host: "here", pid: 1)
            try ledger.addRunner("b", run: young, host: "here", pid: 1)
            let long =
                switch engine {
                case .postgresql: "now() - interval '40 days'"
                case .sqlite: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-40 days')"
                }
            try ledger.change("update {}runs set finished_at = \(long) where id = $1", [.text(old)])
            try ledger.change(
                """
                insert into {}attempts (workspace, tenant, runbook, key, attempt, state, checksum, finished_at) values
                    ('default', 't00000', 'by-hand', '1', 1, 'baselined', 'x', \(long)),
                    ('other', 't00000', 'by-hand', '1', 1, 'baselined', 'x', \(long))
                """)
            let summary = try ledger.values("select * from {}run_summary order by run_id")

            #expect(try ledger.fold(olderThan: 41 * day, limit: 4) == false)
            var calls = 0
            while try ledger.fold(olderThan: 39 * day, limit: 4) { calls += 1 }

            #expect(calls > 3)
            #expect(try ledger.values("select distinct run_id from {}jobs") == [[.text(young)]])
            #expect(try ledger.values("select distinct run_id from {}runners") == [[.text(young)]])
            let attempts = try ledger.values(
                "select workspace, run_id, count(*) from {}attempts group by 1, 2 order by 1")
            #expect(attempts == [["default", .text(young), 9], ["other", .null, 1]])
            #expect(try ledger.values("select * from {}run_summary order by run_id") == summary)
            #expect(try ledger.values("select id from {}runs where folded_at is not null") == [[.text(old)]])
            #expect(
                try ledger.values("select tenant, runbook, run_id from {}failures") == [["t00001", "r", .text(old)]])
            let folded = try ledger.values(
                "select count(*) from {}completed where runbook = 'r' and completed_at is null and run_id is null")
            #expect(folded == [[8]])
            #expect(try ledger.values("select count(*) from {}completed where run_id = $1", [.text(young)]) == [[9]])
            #expect(try ledger.countUnsettled(in: Sample.scope(tenants, [Sample.runbook("r")])) == 1)
        }
    }
}
