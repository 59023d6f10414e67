import Foundation
import TestSupport
import Testing

/// A server that breaks down before it has written commits to its disk that were answered already.
@Suite struct LostCommitTests {
    private static let runbooks = #"{ id: "one", sql: "one.sql" }, { id: "two", sql: "two.sql" }"#

    /// Guarantee: what the ledger says was done is there. Tenants whose commits the server has lost, with all that came
    /// with them, are worked on again by the same run; each effect is there once.
    @Test(
        .needsPostgres, .needsFailpoints,
        arguments: ["", "rollout: { max_failures: 5 },", "defaults: { fuse: true },"])
    func lostTenantsAreWorkedOnAgain(_ top: String) async throws {
        try await PostgresCluster.with { cluster, database in
            let fleet = try await SchemaFleet.make(
                24, in: database, top: top, runbooks: Self.runbooks,
                scripts: ["one.sql": traced("one"), "two.sql": traced("two")])
            try await Self.writeNothingByItself(database)
            // Who writes results down waits.
            let runner = try fleet.start(environment: ["MUSTER_FAILPOINTS": "write_results.before=hang:6000@1"])
            // All that was claimed is seen, and not on the disk. Where failures are counted it is what is under way.
            let claimed = top.contains("max_failures") ? 4 : 24
            try #require(try await eventually(within: .seconds(60)) { try await fleet.effects() == 2 * claimed })

            try await cluster.restart("immediate")

            let report = try PrintedReport(try await runner.ending(within: .seconds(60)))
            #expect(report.exitCode == 0, "\(report.failures) \(report.notices) \(String(describing: report.error))")
            #expect(try runner.errors.contains("has lost what it had not written"))
            #expect(report.counts.succeeded == 24, "\(report.counts)")
            #expect(try await fleet.lostAndRepeated(of: 24, "one") == (lost: 0, repeated: 0))
            #expect(try await fleet.lostAndRepeated(of: 24, "two") == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
            let history = try await database.lines(
                "SELECT count(*), count(DISTINCT (tenant, runbook)) FROM muster.attempts")
            #expect(history == ["48|48"])
            #expect(try await database.lines("SELECT count(*) FROM muster.completed") == ["48"])
        }
    }

    /// Guarantee: when the server breaks down in the second runbook of a message, the commit of the first one may be lost
    /// although it was answered: it is looked at again, and nothing is run without what comes before it.
    @Test(.needsPostgres, .needsFailpoints) func nothingRunsWithoutWhatComesBefore() async throws {
        try await PostgresCluster.with { cluster, database in
            // It sleeps until the server breaks down.
            try await database.psql("CREATE TABLE public.nap AS SELECT pg_postmaster_start_time() AS since")
            let fleet = try await SchemaFleet.make(
                1, in: database, runbooks: Self.runbooks,
                scripts: [
                    // Slow enough for the server to answer what it has, when the second one begins.
                    "one.sql": traced("one", seconds: 0.3),
                    "two.sql": """
                    SELECT pg_sleep(120) FROM public.nap WHERE since = pg_postmaster_start_time();
                    SELECT 1 / count(*) FROM public.witness WHERE runbook = 'one' AND tenant = current_schema();
                    \(traced("two"))
                    """,
                ])
            try await Self.writeNothingByItself(database)
            let runner = try fleet.start(environment: ["MUSTER_FAILPOINTS": "beat.before=hang:8000@1"])
            let isIn = """
                SELECT count(*) FROM pg_stat_activity a, public.witness WHERE a.wait_event = 'PgSleep' AND runbook = 'one'
                """
            try #require(try await eventually(within: .seconds(60)) { try await database.lines(isIn) == ["1"] })
            // With it goes what the first one did, but for the rare moment in which somebody has written it down.
            try await cluster.restart("immediate")

            let report = try PrintedReport(try await runner.ending(within: .seconds(60)))

            #expect(report.exitCode == 0, "\(report.failures) \(report.notices) \(String(describing: report.error))")
            #expect(try await fleet.lostAndRepeated(of: 1, "one") == (lost: 0, repeated: 0))
            #expect(try await fleet.lostAndRepeated(of: 1, "two") == (lost: 0, repeated: 0))
        }
    }

    /// Lets nothing reach the disk but what a commit waits for.
    private static func writeNothingByItself(_ database: PostgresDatabase) async throws {
        for setting in ["bgwriter_lru_maxpages = 0", "autovacuum = off"] {
            try await database.psql("ALTER SYSTEM SET \(setting)")
        }
        let lines = try await database.lines(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter' AND pg_reload_conf()")
        // The others have read it by then.
        try await Task.sleep(for: .milliseconds(500))
        let writer = try #require(lines.first.flatMap { pid_t($0) })
        try #require(kill(writer, SIGSTOP) == 0)
    }
}
