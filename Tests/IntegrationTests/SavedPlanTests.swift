import Foundation
import TestSupport
import Testing

/// `plan --out FILE` and `apply --plan FILE`.
@Suite struct SavedPlanTests {
    private func fleet(_ count: Int, in database: PostgresDatabase) async throws -> Workplace {
        let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
        try await database.psql(
            "CREATE TABLE public.tenants (slug text PRIMARY KEY, patience float8 NOT NULL DEFAULT 0);"
                + "INSERT INTO public.tenants SELECT 't' || n FROM generate_series(1, \(count)) n;"
                + (1...count).map { "CREATE SCHEMA t\($0); CREATE TABLE t\($0).touched (at timestamptz);" }.joined())
        try workplace.write(
            "touch.sql",
            """
            INSERT INTO touched VALUES (now());
            SELECT pg_sleep(patience) FROM public.tenants WHERE slug = current_schema();
            """)
        try workplace.write(
            "deploy.json5",
            """
            { manifest: 1, ledger: { url: "${DATABASE_URL}" },
              tenants: { query: "SELECT slug AS id, slug AS schema FROM public.tenants ORDER BY slug",
                         target: { schema: "{schema}" } },
              concurrency: { tenants: 1 },
              runbooks: [{ id: "touch", key: "${KEY:-1}", sql: "touch.sql" }] }
            """)
        return workplace
    }

    private func save(_ workplace: Workplace, _ arguments: String...) async throws {
        try await workplace.muster(["plan", "-f", "deploy.json5", "--out", "plan.json", "--quiet"] + arguments).output()
    }

    private func apply(_ workplace: Workplace, _ arguments: String...) async throws -> PrintedReport {
        try PrintedReport(
            try await workplace.muster(["apply", "--plan", "plan.json", "--format", "json"] + arguments).run())
    }

    /// Guarantee: a plan is applied as it was saved, its selection with it; once it is done it is stale.
    @Test(.needsPostgres) func savedPlanIsApplied() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(4, in: database)
            try await save(workplace, "--tenant", "t1", "--tenant", "t3")
            let report = try await apply(workplace)
            #expect(report.exitCode == 0, "\(report)")
            #expect(report.counts.succeeded == 2)
            #expect(try await database.lines("SELECT count(*) FROM t3.touched") == ["1"])
            #expect(try await database.lines("SELECT count(*) FROM t2.touched") == ["0"])

            let again = try await apply(workplace)
            #expect(again.exitCode == 4)
            #expect(again.error?.code == "stale_plan")
            #expect(again.error?.message.contains("touch@1 was done on 2 tenants since") == true, "\(again)")
        }
    }

    /// Guarantee: a manifest, a set of tenants or a ledger that moved is refused with 4, with nothing touched.
    @Test(.needsPostgres) func whatMovedIsRefused() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(3, in: database)
            #expect(try await workplace.apply("--tenant", "t1").exitCode == 0)
            try await save(workplace)
            func expectRefusal(_ words: String) async throws {
                let report = try await apply(workplace)
                #expect(report.exitCode == 4)
                #expect(report.error?.message.contains(words) == true, "\(report)")
                #expect(try await database.lines("SELECT count(*) FROM t2.touched") == ["0"])
            }
            let manifest = try workplace.read("deploy.json5")
            try workplace.write(
                "deploy.json5",
                manifest.replacing(
                    "sql: \"touch.sql\" }]", with: "sql: \"touch.sql\" }, { id: \"more\", sql: \"touch.sql\" }]"))
            try await expectRefusal("(more@1 is new)")
            try workplace.write("deploy.json5", manifest)

            try await database.psql("CREATE SCHEMA t4; INSERT INTO public.tenants VALUES ('t4')")
            try await expectRefusal("there are 4 tenants in scope, and there were 3")
            try await database.psql("DELETE FROM public.tenants WHERE slug = 't4'")

            #expect(try await workplace.apply("--tenant", "t3").exitCode == 0)
            try await expectRefusal("touch@1 was done on 1 tenant since")

            let usage = try await workplace.muster("apply", "--plan", "plan.json", "--tenant", "t2").run()
            #expect(usage.code == 64)
            try workplace.write("plan.json", "{\"schema\": \"muster.report/1\"}")
            try await expectRefusal("it is muster.report/1")
        }
    }

    /// Guarantee: an apply that was killed in the middle of a plan goes on with it.
    @Test(.needsPostgres) func killedPlanGoesOn() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(3, in: database)
            try await database.psql("UPDATE public.tenants SET patience = 600 WHERE slug = 't2'")
            try await save(workplace)
            let first = try workplace.muster("apply", "--plan", "plan.json", "--quiet").start()
            let isStuck = try await eventually {
                try await database.lines(
                    """
                    SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event = 'PgSleep'
                    """) == ["1"]
            }
            try #require(isStuck)
            first.send(SIGKILL)
            _ = try await first.ending()
            // What the killed one had begun ends with its backend.
            try await database.psql(
                """
                UPDATE public.tenants SET patience = 0;
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid();
                """)
            let report = try await apply(workplace)
            #expect(report.exitCode == 0, "\(report)")
            #expect(report.run?.joined == true)
            for tenant in 1...3 {
                #expect(try await database.lines("SELECT count(*) FROM t\(tenant).touched") == ["1"])
            }
        }
    }

    /// Guarantee: tenants that took long are first in the next run, the others in the order of the source.
    @Test(.needsPostgres) func longTenantsAreFirst() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(6, in: database)
            try await database.psql(
                "UPDATE public.tenants SET patience = 0.3 WHERE slug = 't4'; "
                    + "UPDATE public.tenants SET patience = 0.6 WHERE slug = 't5'")
            #expect(try await workplace.apply().exitCode == 0)
            let next = Command(
                [Checkout.muster, "apply", "-f", "deploy.json5", "--format", "json"], folder: workplace.folder,
                environment: ["DATABASE_URL": database.url, "KEY": "2"])
            #expect(try PrintedReport(try await next.run()).exitCode == 0)
            let order = try await database.lines(
                """
                SELECT string_agg(tenant, ' ' ORDER BY position) FROM muster.jobs j JOIN muster.runs r ON r.id = j.run_id
                 GROUP BY r.id ORDER BY max(r.started_at)
                """)
            #expect(order == ["t1 t2 t3 t4 t5 t6", "t5 t4 t1 t2 t3 t6"])
        }
    }
}
