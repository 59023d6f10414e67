import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

@Suite struct SealingUpgradeTests {
    /// Guarantee: a ledger of version 1 is upgraded with everything in it, and sealed like any other afterwards.
    @Test(arguments: Engine.all) func versionOneIsUpgraded(_ engine: Engine) async throws {
        try await LedgerPlace.with(engine) { place in
            let old = try Ledger.open(
                place.session(), schema: place.schema, workspace: "default",
                upgrades: Array(LedgerSchema.upgrades.prefix(1)))
            let (session, sql) = (old.session, old.sql)
            try session.run(
                """
                insert into \(sql.name("executions"))
                    (workspace, tenant, runbook, key, state, clean, attempt, checksum, run_id, finished_at)
                values ('default', 't', 'r', '1', 'succeeded', null, 4, 'sha256:a', 'run', '2026-01-02T03:04:05.000Z'),
                    ('default', 't', 's', '1', 'failed', true, 2, 'sha256:a', 'run', '2026-01-02T03:04:06.000Z'),
                    ('default', 'u', 'r', '1', 'baselined', null, 1, 'sha256:a', null, '2026-01-02T03:04:07.000Z')
                """)
            let completed = "select * from \(sql.name("completed")) order by tenant"
            let before = try session.rows(completed).map(\.values)
            session.close()
            #expect(before.count == 2)

            let ledger = try place.open()
            defer { ledger.session.close() }
            #expect(try ledger.value("select version from {}ledger")?.integer == LedgerSchema.version)
            #expect(try ledger.session.rows(completed).map(\.values) == before)
            try ledger.remember(tenants: [Tenant(id: "t"), Tenant(id: "u")], runbooks: [Sample.runbook("r")])
            try ledger.sealAll()
            #expect(try ledger.session.rows(completed).map(\.values) == before)
            #expect(try ledger.values("select tenant, runbook from {}executions") == [["t", "s"]])
            #expect(try ledger.records(of: "t")[Sample.runbook("r").identity]?.execution.attempt == 4)
            let run = try #require(try ledger.begin(["t"], [Sample.runbook("s")]))
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 1).count == 1)
        }
    }
}
