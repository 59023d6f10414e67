import DatabaseAccess
import Foundation
import RunbookModel
import TestSupport
import Testing

/// The transactional runbooks of a stage, which go to a tenant together.
@Suite struct StageTests {
    /// Guarantee: what a tenant needs of a stage is one round trip, and each runbook has its own transaction, rows,
    /// time, notices and receipt.
    @Test(.needsPostgres) func aStageIsOneMessage() async throws {
        try await PostgresServer.withDatabase { url in
            let opener = CountingOpener()
            let manifest = try Self.manifest(
                url, tenants: 6,
                [
                    Self.step(
                        "columns",
                        ["ALTER TABLE notes ADD COLUMN state text", "DO $$ BEGIN RAISE NOTICE 'one'; END $$"]),
                    Self.step("fill", ["UPDATE notes SET state = 'open'", "SELECT pg_sleep(0.15)"]),
                    Self.step("count", ["DO $$ BEGIN RAISE NOTICE 'three'; END $$"]),
                ])

            let report = await Fleet.apply(manifest, opener: opener)

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(opener.log.claims.count == 6)
            #expect(report.runbooks.map(\.counts.succeeded) == [6, 6, 6])
            #expect(report.runbooks.map(\.rowsAffected) == [6, 18, 6])
            let session = try PostgresServer.open(url)
            #expect(try Self.lines(session, "SELECT count(DISTINCT xid) FROM trace") == ["18"])
            #expect(
                try Self.lines(
                    session, "SELECT DISTINCT runbook, output FROM muster.attempts ORDER BY runbook")
                    == ["columns NOTICE: one", "count NOTICE: three", "fill "])
            // The server's clock says how long each took, and one begins when the one before it has ended.
            #expect(
                try Self.lines(
                    session,
                    """
                    SELECT bool_and(slow.duration_ms >= 150), bool_and(slow.duration_ms > quick.duration_ms),
                        bool_and(slow.started_at >= quick.finished_at)
                    FROM muster.attempts slow JOIN muster.attempts quick USING (tenant)
                    WHERE slow.runbook = 'fill' AND quick.runbook = 'columns'
                    """) == ["true true true"])
            let again = await Fleet.apply(manifest)
            #expect(again.nothingToDo)
        }
    }

    /// Guarantee: what comes before a failure stands, the failure is told with its place, and only what comes after it
    /// is blocked.
    @Test(
        .needsPostgres,
        arguments: [
            "INSERT INTO notes VALUES (1)", "SELECT FROM nowhere", "SELEC 1",
        ])
    func aFailureInTheMiddleTouchesNothingElse(_ statement: String) async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try Self.manifest(
                url, tenants: 3,
                [
                    Self.step("first", []),
                    Self.step("second", [statement]),
                    Self.step("third", [], after: ["second"]),
                    Self.step("fourth", [], after: ["first"]),
                ])

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 1)
            #expect(report.failures.map(\.runbook) == ["second", "second", "second"])
            #expect(report.failures.allSatisfy { $0.file == "sql/second.sql" && $0.line == 2 && $0.clean == true })
            #expect(report.runbooks.map(\.counts.succeeded) == [3, 0, 0, 3])
            #expect(report.runbooks.map(\.counts.failed) == [0, 3, 0, 0])
            #expect(report.runbooks.map(\.counts.blocked) == [0, 0, 3, 0])
            let session = try PostgresServer.open(url)
            #expect(try Self.lines(session, "SELECT count(*), count(DISTINCT xid) FROM trace") == ["6 6"])
        }
    }

    /// Guarantee: nothing that a script sets or makes reaches the next one, and the next one's role, path and
    /// limits are its own.
    @Test(.needsPostgres) func nothingLeaksIntoTheNextScript() async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try Self.manifest(
                url, tenants: 2,
                [
                    Fleet.runbook(
                        "leaky",
                        [
                            "SET search_path = public", "SET statement_timeout = 77", "SET my.setting = 'here'",
                            "CREATE TEMP TABLE notes_of_mine (x int)", "PREPARE mine AS SELECT 1",
                            "SET ROLE pg_monitor",
                        ]),
                    Fleet.runbook(
                        "clean",
                        [
                            """
                            DO $$ BEGIN
                                ASSERT current_schema() LIKE 't_', current_schema();
                                ASSERT current_setting('statement_timeout') = '3min', current_setting('statement_timeout');
                                ASSERT coalesce(current_setting('my.setting', true), '') = '';
                                ASSERT to_regclass('notes_of_mine') IS NULL;
                                ASSERT NOT EXISTS (SELECT FROM pg_prepared_statements);
                                ASSERT current_user = session_user;
                            END $$
                            """
                        ]
                    ) { $0.limits.statementTimeout = .seconds(180) },
                ])

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
        }
    }

    /// Guarantee: what another runner has done meanwhile is neither done again nor in the way of the rest.
    @Test(.needsPostgres, arguments: [false, true]) func whatIsDoneAlreadyIsLeftOut(isFused: Bool) async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try Self.manifest(
                url, tenants: 2, isFused: isFused,
                [Self.step("first", []), Self.step("second", []), Self.step("third", [])])
            let session = try PostgresServer.open(url)
            let checksum = manifest.runbooks[1].checksum
            let opener = CountingOpener {
                try? PostgresServer.open(url).run(
                    """
                    INSERT INTO muster.executions (workspace, tenant, runbook, key, state, attempt, checksum)
                    VALUES ('default', 't1', 'second', '1', 'succeeded', 1, '\(checksum)')
                    """)
            }

            let report = await Fleet.apply(manifest, opener: opener)

            #expect(report.exitCode == 0, "\(report.failures)")
            let traces = try Self.lines(
                session, "SELECT tenant, string_agg(runbook, ',' ORDER BY runbook) FROM trace GROUP BY 1 ORDER BY 1")
            #expect(traces == ["t1 first,third", "t2 first,second,third"])
        }
    }

    /// Guarantee: a runbook has its own time, however long those before it took.
    @Test(.needsPostgres) func eachRunbookHasItsOwnTime() async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try Self.manifest(
                url, tenants: 1,
                [
                    Self.step("quick", []),
                    Fleet.runbook("slow", ["SELECT pg_sleep(60)"]) { $0.limits.runbookTimeout = .milliseconds(400) },
                    Self.step("last", []),
                ])

            let report = await Fleet.apply(manifest)

            #expect(report.failures.map(\.runbook) == ["slow"])
            #expect(report.failures.first?.message.contains("runbook_timeout (400ms)") == true, "\(report.failures)")
            #expect(report.runbooks.map(\.counts.succeeded) == [1, 0, 1])
        }
    }

    /// Guarantee: a commit is answered before the disk has it only where nothing is done in the tenant until the ledger has
    /// written its job down.
    @Test(.needsPostgres, arguments: ["nothing", "script", "hook"], [false, true])
    func whatIsGoneOnFromIsOnTheDisk(behind: String, isFused: Bool) async throws {
        try await PostgresServer.withDatabase { url in
            let look = "INSERT INTO public.looks VALUES (current_setting('synchronous_commit'))"
            var runbooks = [Self.step("first", [look]), Self.step("second", [look])]
            if behind == "script" { runbooks.append(Fleet.runbook("third", [look]) { $0.transaction = false }) }
            var manifest = try Self.manifest(url, tenants: 2, isFused: isFused, runbooks)
            if behind == "hook" {
                manifest.hooks[.afterTenant] = HookCommand(
                    arguments: ["/bin/true"], timeout: .seconds(10))
            }
            let session = try PostgresServer.open(url)
            try session.run("CREATE TABLE looks (seen text)")
            try session.run(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END $$"
            )

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            // Of a fused stage the last script alone can tell; each ends with the same commit.
            let expected = [
                isFused ? "on" : "off", behind == "nothing" ? "off" : "on", behind == "script" ? "on" : nil,
            ].compactMap(\.self)
            let seen = try Self.lines(session, "SELECT string_agg(seen, ' ' ORDER BY ctid) FROM looks")
            #expect(seen[0].split(separator: " ").sorted() == (expected + expected).map { Substring($0) }.sorted())
        }
    }

    // MARK: Fused

    /// Guarantee: fused, a stage is one transaction per tenant.
    @Test(.needsPostgres) func aFusedStageIsOneTransaction() async throws {
        try await PostgresServer.withDatabase { url in
            let opener = CountingOpener()
            let manifest = try Self.manifest(
                url, tenants: 4, isFused: true,
                [
                    Self.step("first", ["SET search_path = public", "SET my.setting = 'here'"]),
                    Self.step(
                        "second", ["DO $$ BEGIN ASSERT coalesce(current_setting('my.setting', true), '') = ''; END $$"]),
                    Fleet.runbook("third", ["UPDATE notes SET id = id + 10"]),
                ])

            let report = await Fleet.apply(manifest, opener: opener)

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(opener.log.claims.count == 4)
            #expect(report.runbooks.map(\.rowsAffected) == [4, 4, 8])
            let session = try PostgresServer.open(url)
            #expect(try Self.lines(session, "SELECT count(*), count(DISTINCT xid) FROM trace") == ["8 4"])
        }
    }

    /// Guarantee: fused, a failure leaves nothing of the others in that tenant, and ledger and report say so; in other
    /// tenants all is done.
    @Test(.needsPostgres, arguments: ["INSERT INTO notes SELECT id FROM notes", "SELEC 1"])
    func aFusedFailureLeavesNothing(_ statement: String) async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try Self.manifest(
                url, tenants: 3, isFused: true,
                [
                    Self.step("first", []), Self.step("second", []),
                    Self.step("third", [statement]), Self.step("fourth", []),
                ])
            let session = try PostgresServer.open(url)
            try session.run("DELETE FROM t2.notes")
            let isOfAll = statement == "SELEC 1"

            let report = await Fleet.apply(manifest)

            let failed = isOfAll ? 3 : 2
            #expect(report.exitCode == (isOfAll ? 1 : 3))
            #expect(report.counts.failed == failed)
            #expect(report.failures.map(\.runbook) == Array(repeating: "third", count: failed))
            #expect(report.failures.allSatisfy { $0.file == "sql/third.sql" && $0.line == 2 && $0.clean == true })
            #expect(report.runbooks.map(\.counts.succeeded) == Array(repeating: 3 - failed, count: 4))
            #expect(report.runbooks.map(\.counts.failed) == [0, 0, failed, 0])
            #expect(report.runbooks.map(\.counts.blocked) == [failed, failed, 0, failed])
            #expect(try Self.lines(session, "SELECT DISTINCT tenant FROM trace") == (isOfAll ? [] : ["t2"]))
            #expect(
                try Self.lines(session, "SELECT count(*) FROM muster.completed WHERE tenant <> 't2'") == ["0"])

            try session.run("DROP INDEX t1.one_each; DROP INDEX t3.one_each")
            guard !isOfAll else { return }
            let again = await Fleet.apply(manifest)
            #expect(again.exitCode == 0, "\(again.failures)")
            #expect(try Self.lines(session, "SELECT count(*), count(DISTINCT xid) FROM trace") == ["12 3"])
        }
    }

    /// Guarantee: fused, too, a runbook has its own time, and its own figures in the history.
    @Test(.needsPostgres) func aFusedRunbookHasItsOwnTime() async throws {
        try await PostgresServer.withDatabase { url in
            let runbooks = [
                Fleet.runbook("slow", ["SELECT pg_sleep(0.3)"]) { $0.limits.runbookTimeout = .seconds(10) },
                Self.step("quick", []),
                Fleet.runbook("last", ["SELECT pg_sleep(0.2)"]),
            ]
            let manifest = try Self.manifest(url, tenants: 2, isFused: true, runbooks)

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            let session = try PostgresServer.open(url)
            let times = try Self.lines(
                session,
                """
                SELECT tenant, string_agg(runbook || ' ' || (duration_ms >= 300)::int || (duration_ms >= 200)::int
                    || (finished_at > started_at)::int, ', ' ORDER BY started_at)
                FROM muster.attempts GROUP BY tenant ORDER BY tenant
                """)
            #expect(times == ["t1 slow 111, quick 001, last 011", "t2 slow 111, quick 001, last 011"])
        }
    }

    /// Guarantee: fused, a script that gives up the transaction, or its settings, is named, whichever it is, and what the
    /// others did is not kept.
    @Test(.needsPostgres, arguments: ["first", "second", "third"])
    func aFusedScriptThatResetsAllIsFound(_ name: String) async throws {
        try await PostgresServer.withDatabase { url in
            let runbooks = ["first", "second", "third"].map { Self.step($0, $0 == name ? ["RESET ALL"] : []) }
            let manifest = try Self.manifest(url, tenants: 1, isFused: true, runbooks)

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 5)
            #expect(report.failures.map(\.runbook) == [name])
            #expect(report.failures.first?.state == "unknown")
            let session = try PostgresServer.open(url)
            #expect(try Self.lines(session, "SELECT count(*) FROM trace") == ["0"])
        }
    }

    /// Guarantee: a script that writes another time into the claim's marker gets nothing recorded, and no question about the
    /// history fails for it.
    @Test(
        .needsPostgres, arguments: ["Infinity", "NaN", "-Infinity", "1.0,2.0,3.0,4.0", "1e300", ""], ["first", "third"])
    func aForgedMarkerIsNoRecord(_ times: String, _ name: String) async throws {
        try await PostgresServer.withDatabase { url in
            let token = "split_part(current_setting('muster.claim'), ' ', 2)"
            let forging = "SELECT set_config('muster.claim', '\(times) ' || \(token), true)"
            let runbooks = ["first", "second", "third"].map { Self.step($0, $0 == name ? [forging] : []) }
            let manifest = try Self.manifest(url, tenants: 1, isFused: true, runbooks)

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 5, "\(report)")
            let session = try PostgresServer.open(url)
            #expect(try Self.lines(session, "SELECT count(*) FROM trace") == ["0"])
            #expect(try Self.lines(session, "SELECT count(*) FROM muster.completed") == ["0"])
        }
    }

    // MARK: Fleets

    /// A runbook that first leaves a row, with the transaction it was written in.
    static func step(
        _ id: String, _ statements: [String], after: [String] = [], change: (inout Runbook) -> Void = { _ in }
    ) -> Runbook {
        let trace = "INSERT INTO public.trace SELECT current_schema(), '\(id)', txid_current()"
        return Fleet.runbook(id, [trace] + statements, after: after, change: change)
    }

    /// Tenants t1, t2, … with a table of two notes each, and a table that counts effects.
    static func manifest(
        _ url: ConnectionURL, tenants: Int, isFused: Bool = false, _ runbooks: [Runbook]
    ) throws -> Manifest {
        let session = try PostgresServer.open(url)
        try session.run("CREATE TABLE public.trace (tenant text, runbook text, xid bigint)")
        for number in 1...tenants {
            try session.run(
                """
                CREATE SCHEMA t\(number); CREATE TABLE t\(number).notes (id int);
                INSERT INTO t\(number).notes VALUES (1), (2); CREATE UNIQUE INDEX one_each ON t\(number).notes (id)
                """)
        }
        return Fleet.manifest(
            ledger: url.revealed,
            source: .query(
                sql: "select nspname as id, nspname as schema from pg_namespace where nspname ~ '^t[0-9]$' order by 1",
                url: nil), target: TargetTemplate(schema: "{schema}"), runbooks: runbooks
        ) { $0.fuse = isFused }
    }

    static func lines(_ session: any DatabaseSession, _ sql: String) throws -> [String] {
        try session.rows(sql).map { row in
            row.values.map { $0.text ?? "" }.joined(separator: " ")
        }
    }
}
