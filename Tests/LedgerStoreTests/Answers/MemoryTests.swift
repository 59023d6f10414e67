import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// What the ledger remembers of tenants and runbooks, and what its views say.
@Suite struct MemoryTests {
    private let pro = Tenant(id: "pro", labels: ["plan": "pro", "region": "eu"])
    private let free = Tenant(id: "free", labels: ["plan": "free"])
    private let bare = Tenant(id: "bare")

    private func pending(_ ledger: Ledger) throws -> [String] {
        try ledger.values("select tenant, runbook, state from {}pending_by_tenant order by tenant, runbook, key")
            .map { $0.compactMap(\.text).joined(separator: " ") }
    }

    /// Guarantee: never seen is not the same as none left.
    @Test(arguments: Engine.all) func lastCountTellsNeverFromNone(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            #expect(try ledger.lastTenantCount() == nil)
            try ledger.remember(tenants: [], runbooks: [])
            #expect(try ledger.lastTenantCount() == nil)
            try ledger.remember(tenants: [pro, free], runbooks: [])
            #expect(try ledger.lastTenantCount() == 2)
            try ledger.remember(tenants: [], runbooks: [])
            #expect(try ledger.lastTenantCount() == 0)
        }
    }

    /// Guarantee: `pending_by_tenant` lists what applies and is not done, for tenants and runbooks that are there.
    @Test(arguments: Engine.all) func pendingFollowsLabelsAndStates(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let runbooks = [
                Sample.runbook("all"), Sample.runbook("pros", match: ["plan": ["pro", "team"]]),
                Sample.runbook("eu", match: ["plan": ["pro", "free"], "region": ["eu"]]),
                Sample.runbook("none", match: ["plan": []]), Sample.runbook("once", scope: .workspace),
            ]
            try ledger.remember(tenants: [pro, free, bare], runbooks: runbooks)
            #expect(
                try pending(ledger)
                    == [
                        "bare all pending", "free all pending", "pro all pending", "pro eu pending",
                        "pro pros pending",
                    ])
            try ledger.change(
                """
                insert into {}executions (workspace, tenant, runbook, key, state, attempt, checksum) values
                    ('default', 'pro', 'all', '1', 'succeeded', 1, 'x'),
                    ('default', 'pro', 'eu', '1', 'failed', 1, 'x'),
                    ('default', 'pro', 'pros', '1', 'baselined', 1, 'x'),
                    ('default', 'free', 'all', '2', 'succeeded', 1, 'x'),
                    ('default', 'bare', 'all', '1', 'rolled_back', 1, 'x'),
                    ('other', 'free', 'all', '1', 'succeeded', 1, 'x')
                """)
            #expect(try pending(ledger) == ["bare all rolled_back", "free all pending", "pro eu failed"])
            // A tenant and a runbook that are gone, and labels that changed.
            let moved = Tenant(id: "free", labels: ["plan": "pro"])
            try ledger.remember(tenants: [moved, pro], runbooks: Array(runbooks.dropLast(3)))
            #expect(try pending(ledger) == ["free all pending", "free pros pending"])
            let seen = try ledger.lastSeen()
            #expect(seen.tenants == ["free", "pro"])
            #expect(seen.identities.map(\.identity.runbook) == ["all", "pros"])
            // And back again.
            try ledger.remember(tenants: [bare, free, pro], runbooks: runbooks)
            #expect(try pending(ledger).contains("bare all rolled_back"))
            #expect(try ledger.lastSeen().identities.map(\.identity.runbook) == runbooks.map(\.id))
            #expect(try ledger.lastSeen().identities.last?.scope == .workspace)
        }
    }

    /// Guarantee: `completed` and `failures` are what scripts may rely on, the workspace's own runbooks among them.
    @Test(arguments: Engine.all) func completedAndFailuresListWhatIsThere(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u", ""]))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 3)
            let results = [Sample.result(jobs[0]), Sample.result(jobs[1], .failed), Sample.result(jobs[2])]
            #expect(try ledger.write(results, run: run, runner: "a") == 3)
            let completed = try ledger.values(
                """
                select workspace, tenant, runbook, key, run_id, checksum, completed_at is not null
                from {}completed order by tenant
                """)
            #expect(completed.map { $0[1] } == ["", "t"])
            #expect(completed[1].prefix(6) == ["default", "t", "r", "1", .text(run), .text(Sample.checksum)])
            #expect(completed[1][6].boolean == true)
            let failures = try ledger.values(
                "select tenant, state, attempt, sqlstate, message, file, line, statement, run_id from {}failures")
            #expect(failures == [["u", "failed", 1, "22012", "it broke", "sql/1.sql", 3, "select 1/0", .text(run)]])
            #expect(try ledger.standingFailures(limit: 10).map(\.tenant) == ["u"])
        }
    }

    /// Guarantee: the summary is the same while a run is open and after it, and history keeps it when jobs are gone.
    @Test(arguments: Engine.all) func summaryStaysWhenJobsGo(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(
                try ledger.startRun(Sample.draft(), jobs: Sample.scope(Sample.names(7)), settled: 3)
            ).id
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 7)
            let states: [JobState] = [.succeeded, .skipped, .failed, .blocked, .unknown, .cancelled, .succeeded]
            let results = zip(jobs, states).map { Sample.result($0, $1, []) }
            #expect(try ledger.write(results, run: run, runner: "a") == 7)
            let columns = "total, processed, succeeded, skipped, failed, blocked, unknown, cancelled"
            let expected: [[DatabaseValue]] = [[10, 10, 2, 4, 1, 1, 1, 1]]
            #expect(try ledger.values("select \(columns) from {}run_summary") == expected)
            #expect(try ledger.completeRun(run))
            try ledger.change("delete from {}jobs")
            #expect(try ledger.values("select \(columns) from {}run_summary") == expected)
            #expect(try ledger.value("select outcome from {}run_summary") == "partially_succeeded")
        }
    }

    /// Guarantee: many that remember at once, in whatever order, neither deadlock nor lose anything.
    @Test(arguments: Engine.all) func manyRememberAtOnce(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let tenants = Sample.names(300).map { Tenant(id: $0, labels: ["plan": "pro"]) }
            _ = try await Threads.run(8) { index in
                let ledger = try place.open()
                defer { ledger.session.close() }
                let order = index % 2 == 0 ? tenants : tenants.reversed()
                try ledger.remember(tenants: order, runbooks: [Sample.runbook("r"), Sample.runbook("s")])
            }
            #expect(try ledger.lastTenantCount() == 300)
            #expect(try ledger.lastSeen().tenants == Sample.names(300))
            #expect(try ledger.value("select count(*) from {}pending_by_tenant")?.integer == 600)
        }
    }

    /// Guarantee: keys of a runbook are known in the order in which they were last seen.
    @Test(arguments: Engine.all) func keysAreKnown(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            try ledger.remember(tenants: [], runbooks: [Sample.runbook("r", key: "9")])
            try ledger.change("update {}identities set seen_at = '2020-01-01T00:00:00.000Z'")
            try ledger.remember(tenants: [], runbooks: [Sample.runbook("r", key: "10"), Sample.runbook("s")])
            #expect(try ledger.keys(of: "r") == ["9", "10"])
            #expect(try ledger.keys(of: "never") == [])
        }
    }
}
