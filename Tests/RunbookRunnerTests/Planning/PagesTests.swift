import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import Synchronization
import TestSupport
import Testing

/// Tenants are asked about in pages: that must not be seen anywhere.
@Suite struct PagesTests {
    /// Rows of one table, with a label; what ran where is written down.
    private static func accounts(_ url: ConnectionURL, _ count: Int) throws {
        let session = try PostgresServer.open(url)
        try session.run(
            """
            CREATE TABLE public.accounts (id text PRIMARY KEY, plan text NOT NULL);
            INSERT INTO public.accounts
            SELECT 't' || i, CASE i % 3 WHEN 0 THEN 'pro' ELSE 'free' END FROM generate_series(1, \(count)) i;
            CREATE TABLE public.trace (tenant text, runbook text);
            """)
    }

    private static func runbook(
        _ id: String, text: String = "", after: [String] = [], change: (inout Runbook) -> Void = { _ in }
    ) -> Runbook {
        Fleet.runbook(
            id, ["INSERT INTO public.trace SELECT current_setting('app.tenant', true), '\(id)' \(text)"], after: after,
            change: change)
    }

    private static func manifest(_ url: ConnectionURL, _ runbooks: [Runbook]) -> Manifest {
        Fleet.manifest(
            ledger: url.revealed, source: .query(sql: "SELECT id, plan FROM public.accounts ORDER BY id", url: nil),
            runbooks: runbooks
        ) {
            $0.tenants.settings = ["app.tenant": "{id}"]
            $0.tenants.isolation = .script
        }
    }

    private static func apply(
        _ manifest: Manifest, pageSize: Int, opener: any SessionOpener = RealOpener()
    ) async -> Report {
        await RunbookService(opener: opener, pageSize: pageSize).apply(
            manifest, ApplyRequest(initiator: Initiator(kind: "user", name: "test")), events: EventLog(),
            stop: StopSwitch())
    }

    private static func lines(_ url: ConnectionURL, _ sql: String) throws -> [String] {
        try PostgresServer.open(url).rows(sql).map { row in row.values.map { $0.text ?? "" }.joined(separator: " ") }
    }

    /// Everything that a tenant's state depends on: labels, what is done, failed, unknown, drifted and of the workspace.
    private static func mixed(_ url: ConnectionURL) async throws -> Manifest {
        try accounts(url, 11)
        let books = [
            runbook("all"), runbook("pros") { $0.match = ["plan": ["pro"]] },
            runbook("some", text: "WHERE 1 / (CASE current_setting('app.tenant') WHEN 't4' THEN 0 ELSE 1 END) = 1"),
            runbook("rest", after: ["some"]),
        ]
        let first = await apply(manifest(url, books), pageSize: 100)
        #expect(first.exitCode == 3)
        let session = try PostgresServer.open(url)
        // A person's program died in the middle of t7, and a script was changed under t9.
        try session.run(
            """
            INSERT INTO muster.executions (workspace, tenant, runbook, key, state, attempt, checksum)
            VALUES ('default', 't7', 'late', '1', 'unknown', 1, 'sha256:x'),
                ('default', 't9', 'late', '1', 'succeeded', 1, 'sha256:other');
            """)
        return manifest(
            url,
            books + [
                runbook("late"), runbook("free") { $0.match = ["plan": ["free"]] },
                runbook("once", after: ["late"]) { $0.scope = .workspace },
            ])
    }

    /// Guarantee: a plan says the same, whatever the size of a page.
    @Test(.needsPostgres) func aPlanIsTheSameInPages() async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try await Self.mixed(url)
            var answers: [String] = []
            for size in [1000, 1, 2, 3, 5, 11, 12] {
                let encoder = JSONEncoder()
                encoder.outputFormatting = .sortedKeys
                let plan = await RunbookService(opener: RealOpener(), pageSize: size).plan(manifest, Selection())
                #expect(plan.exitCode == 4)
                #expect(plan.tenantCount == 11)
                answers.append(String(decoding: try encoder.encode(plan), as: UTF8.self))
            }
            #expect(Set(answers).count == 1)
            let whole = await RunbookService(opener: RealOpener(), pageSize: 2).plan(manifest, Selection())
            let counts = Dictionary(uniqueKeysWithValues: whole.runbooks.map { ($0.id, $0.counts) })
            #expect(counts["late"]?.run == 9)
            #expect(counts["late"]?.unknown == 1)
            #expect(counts["late"]?.drifted == 1)
            #expect(counts["pros"]?.done == 3)
            #expect(counts["pros"]?.notApplicable == 8)
            #expect(counts["free"]?.run == 8)
            #expect(counts["free"]?.notApplicable == 3)
            #expect(counts["some"]?.run == 1)
            #expect(whole.tenants.map { $0.tenant ?? "" } == ["t1", "t10", "t11"] + (2...9).map { "t\($0)" } + [""])
        }
    }

    /// Guarantee 1: every tenant once, in the source's order, whatever the size of a page.
    @Test(.needsPostgres, arguments: [1, 2, 7, 100]) func anApplyReachesEveryPage(_ size: Int) async throws {
        try await PostgresServer.withDatabase { url in
            try Self.accounts(url, 7)
            let manifest = Self.manifest(
                url, [Self.runbook("a"), Self.runbook("pro") { $0.match = ["plan": ["pro"]] }])
            let report = await Self.apply(manifest, pageSize: size)
            #expect(report.exitCode == 0)
            #expect(report.counts.succeeded == 7)
            #expect(report.runbooks.map(\.counts.succeeded) == [7, 2])
            #expect(
                try Self.lines(url, "SELECT runbook, count(*), count(DISTINCT tenant) FROM trace GROUP BY 1 ORDER BY 1")
                    == ["a 7 7", "pro 2 2"])
            #expect(
                try Self.lines(url, "SELECT string_agg(tenant, ',' ORDER BY position) FROM muster.jobs")
                    == ["t1,t2,t3,t4,t5,t6,t7"])
            #expect(try Self.lines(url, "SELECT count(*) FROM muster.tenants WHERE labels ? 'plan'") == ["7"])
            let again = await Self.apply(manifest, pageSize: size)
            #expect(again.nothingToDo)
            #expect(again.counts.skipped == 7)
        }
    }

    /// Guarantee: while pages are asked about, others may finish tenants and the source may change; nothing runs twice,
    /// nothing is left out, and what appeared is the next deploy's.
    @Test(.needsPostgres) func whatHappensBetweenPagesIsMet() async throws {
        try await PostgresServer.withDatabase { url in
            try Self.accounts(url, 6)
            let done = Self.runbook("a")
            #expect(await Self.apply(Self.manifest(url, [done]), pageSize: 2).exitCode == 0)
            let added = Self.runbook("b")
            let manifest = Self.manifest(url, [done, added])
            let failure = Mutex<String?>(nil)
            let asked = Atomic(0)
            let opener = InterludeOpener { text, _ in
                // The second page's question.
                text.contains("order by kind, ord") && asked.add(1, ordering: .relaxed).newValue == 2
            } _: {
                do {
                    let session = try PostgresServer.open(url)
                    try session.run(
                        """
                        INSERT INTO muster.executions (workspace, tenant, runbook, key, state, attempt, checksum)
                        SELECT 'default', t, 'b', '1', 'succeeded', 1, '\(added.checksum)' FROM unnest(ARRAY['t1', 't5']) t;
                        DELETE FROM public.accounts WHERE id = 't6';
                        INSERT INTO public.accounts VALUES ('t7', 'pro');
                        """)
                } catch { failure.withLock { $0 = "\(error)" } }
            }
            let report = await Self.apply(manifest, pageSize: 2, opener: opener)
            #expect(failure.withLock { $0 } == nil)
            #expect(opener.log.count(of: "order by kind, ord") >= 3)
            #expect(report.exitCode == 0)
            #expect(report.counts.total == 6)
            #expect(report.counts.succeeded == 4)
            #expect(
                try Self.lines(url, "SELECT tenant FROM trace WHERE runbook = 'b' ORDER BY 1") == [
                    "t2", "t3", "t4", "t6",
                ])

            let next = await Self.apply(manifest, pageSize: 2)
            #expect(next.exitCode == 0)
            #expect(try Self.lines(url, "SELECT runbook FROM trace WHERE tenant = 't7' ORDER BY 1") == ["a", "b"])
            #expect(
                try Self.lines(url, "SELECT tenant FROM muster.tenants WHERE gone_at IS NOT NULL") == ["t6"])
        }
    }

    /// Guarantee: a tenant that two pages would hold is still found to be there twice.
    @Test(.needsPostgres) func duplicatesOnDifferentPagesAreFound() async throws {
        try await PostgresServer.withDatabase { url in
            try Self.accounts(url, 5)
            var manifest = Self.manifest(url, [Self.runbook("a")])
            manifest.tenants.source = .query(
                sql: "SELECT id, plan FROM public.accounts UNION ALL SELECT 't1', 'late'", url: nil)
            let report = await Self.apply(manifest, pageSize: 2)
            #expect(report.exitCode == 4)
            #expect(report.error?.message.contains("more than once") == true)
        }
    }

    /// Guarantee: nothing to do is a handful of round trips, whatever the number of tenants and runbooks.
    @Test(.needsPostgres, arguments: [3, 60]) func nothingToDoIsAHandfulOfRoundTrips(_ count: Int) async throws {
        try await PostgresServer.withDatabase { url in
            try Self.accounts(url, count)
            let manifest = Self.manifest(url, (1...(count / 3)).map { Self.runbook("r\($0)") })
            #expect(await Self.apply(manifest, pageSize: 10_000).exitCode == 0)
            let opener = InterludeOpener()
            let report = await Self.apply(manifest, pageSize: 10_000, opener: opener)
            #expect(report.nothingToDo)
            #expect(report.counts.skipped == count)
            #expect(opener.log.count == 4)
        }
    }

    /// Guarantee: the short question is proof only where nothing stands in the way: an open run, a row of its own.
    @Test(.needsPostgres) func anOpenRunIsFinishedThoughAllIsDone() async throws {
        try await PostgresServer.withDatabase { url in
            try Self.accounts(url, 3)
            let manifest = Self.manifest(url, [Self.runbook("a")])
            let first = await Self.apply(manifest, pageSize: 2)
            let session = try PostgresServer.open(url)
            try session.run("UPDATE muster.runs SET status = 'running', outcome = NULL, finished_at = NULL")
            let second = await Self.apply(manifest, pageSize: 2)
            #expect(second.exitCode == 0)
            #expect(second.run?.id == first.run?.id)
            #expect(try Self.lines(url, "SELECT status FROM muster.runs") == ["completed"])
            try session.run(
                """
                INSERT INTO muster.executions (workspace, tenant, runbook, key, state, attempt, checksum)
                VALUES ('default', 't2', 'a', '1', 'rolled_back', 2, 'sha256:x')
                """)
            let third = await Self.apply(manifest, pageSize: 2)
            #expect(third.counts.succeeded == 1)
            #expect(try Self.lines(url, "SELECT count(*) FROM trace WHERE tenant = 't2'") == ["2"])
        }
    }

    /// Guarantee: files and a ledger in a file come in pages as well.
    @Test(arguments: [1, 2, 100]) func filesComeInPages(_ size: Int) async throws {
        try await TemporaryFolder.with { folder in
            for number in 1...5 {
                let session = try RealOpener().open(
                    try ConnectionURL(parsing: "sqlite:\(folder.path)/f\(number).db"),
                    SessionOptions(applicationName: "test", createsFile: true))
                try session.run("CREATE TABLE notes (id INTEGER)")
                session.close()
            }
            let manifest = Fleet.manifest(
                ledger: "sqlite:\(folder.path)/ledger", source: .files(pattern: "\(folder.path)/*.db"),
                runbooks: [Fleet.runbook("a", ["INSERT INTO notes VALUES (1)"])])
            let report = await Self.apply(manifest, pageSize: size)
            #expect(report.exitCode == 0, "\(String(describing: report.error)) \(report.failures)")
            #expect(report.counts.succeeded == 5)
            let again = await Self.apply(manifest, pageSize: size)
            #expect(again.nothingToDo)
        }
    }
}
