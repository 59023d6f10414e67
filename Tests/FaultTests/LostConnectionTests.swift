import DatabaseAccess
import Foundation
import TestSupport
import Testing

/// Connections that end in the middle of the work.
@Suite struct LostConnectionTests {
    /// Guarantee: whatever backends an administrator ends, in scripts and between them, workers' and the ledger's, every
    /// effect happens once, and the run succeeds by itself as long as it has tries left.
    @Test(.needsPostgres) func terminatedBackendsLoseNothing() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                300, in: database, runbooks: #"{ id: "slow", sql: "slow.sql", retries: 100 }"#,
                scripts: ["slow.sql": traced("slow", seconds: 0.03)])
            let runner = try fleet.start()
            try #require(try await eventually { try await fleet.effects() >= 1 })
            var ended = 0
            while runner.isRunning, ended < 100 {
                let lines = try await database.lines(
                    """
                    SELECT count(pg_terminate_backend(pid)) FROM (
                        SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                            AND application_name LIKE 'muster/0%' ORDER BY random() LIMIT 2) AS victims
                    """)
                ended += Int(lines.first ?? "") ?? 0
                try await Task.sleep(for: .milliseconds(100))
            }
            let report = try PrintedReport(try await runner.ending())
            #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            #expect(ended > 0)
            #expect(try await fleet.lostAndRepeated(of: 300) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
            #expect(report.counts.succeeded == 300, "\(report.counts)")
            print("terminatedBackendsLoseNothing: \(ended) backends ended, 0 effects lost, 0 repeated")
        }
    }

    /// Guarantee: when the network is cut while the server works, so that nobody hears whether COMMIT succeeded, the
    /// receipt tells: no effect is lost, none happens twice, also while the lost backend is still at work.
    @Test(.needsPostgres) func cutAroundCommitIsSettledByTheReceipt() async throws {
        try await PostgresProxy.with { proxy in
            try await PostgresDatabase.with { database in
                let through = try proxy.url("dbname=\(database.name)").revealed
                let fleet = try await SchemaFleet.make(
                    200, in: database, url: through, ledger: database.url,
                    runbooks: #"{ id: "slow", sql: "slow.sql", retries: 100 }"#,
                    scripts: ["slow.sql": traced("slow", seconds: 0.05)])
                let runner = try fleet.start()
                try #require(try await eventually { try await fleet.effects() >= 1 })
                var cuts = 0
                while runner.isRunning, cuts < 40 {
                    proxy.dropAnswers()
                    try await Task.sleep(for: .milliseconds(Int.random(in: 20...120)))
                    proxy.cut()
                    cuts += 1
                    try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
                }
                let report = try PrintedReport(try await runner.ending())
                #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
                #expect(cuts >= 5)
                #expect(try await fleet.lostAndRepeated(of: 200) == (lost: 0, repeated: 0))
                // What was committed unheard counts as this run's success, and as one try.
                #expect(report.counts.succeeded == 200, "\(report.counts)")
                let executions = try await database.lines(
                    "SELECT count(*), bool_and(state = 'succeeded'), bool_and(attempt >= 1) FROM muster.known")
                #expect(executions == ["200|t|t"])
                print("cutAroundCommitIsSettledByTheReceipt: \(cuts) cuts of 4 connections, 0 effects lost, 0 repeated")
            }
        }
    }

    /// Guarantee: the server ends transactional work whose runner is gone, and gives its lock back; nothing of it stays.
    @Test(.needsPostgres) func workOfADeadRunnerEndsOnTheServer() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                1, in: database, runbooks: #"{ id: "long", sql: "long.sql" }"#,
                scripts: ["long.sql": traced("long", seconds: 120)])
            let runner = try fleet.start()
            let sleeping =
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
            try #require(try await eventually { try await database.lines(sleeping) == ["1"] })
            runner.send(SIGKILL)
            _ = try await runner.ending()
            let began = ContinuousClock.now
            #expect(try await eventually(within: .seconds(15)) { try await database.lines(sleeping) == ["0"] })
            print("workOfADeadRunnerEndsOnTheServer: \(ContinuousClock.now - began)")
            #expect(try await fleet.effects() == 0)
            let locks = try await database.lines(
                """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """)
            #expect(locks == ["0"])
        }
    }

    /// Guarantee: a hook whose tenant's lock is lost is ended at once, and nobody takes it for successful.
    @Test(.needsPostgres) func hookEndsWithItsLock() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                1, in: database, runbooks: #"{ id: "hook", exec: ["./hook"], timeout: "60s" }"#,
                scripts: ["hook": "#!/bin/sh\ntouch begun\nsleep 30\ntouch ended\n"])
            let runner = try fleet.start()
            try #require(try await eventually { fleet.workplace.exists("begun") })
            let began = ContinuousClock.now
            try await database.psql(
                """
                SELECT pg_terminate_backend(pid) FROM pg_locks
                WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND objsubid = 1
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND pid IN (SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.mode = 'ShareLock')
                """)
            let report = try PrintedReport(try await runner.ending(within: .seconds(40)))
            #expect(ContinuousClock.now - began < .seconds(20))
            #expect(!fleet.workplace.exists("ended"))
            #expect(report.exitCode == 5, "\(report.failures)")
            #expect(report.counts.unknown == 1)
            #expect(report.failures.first?.message.contains("lock was lost") == true, "\(report.failures)")
            #expect(try await database.lines("SELECT state FROM muster.known") == ["unknown"])
        }
    }

    /// Guarantee: a `transaction: false` script whose connection ends is `unknown`: its lock went with it.
    @Test(.needsPostgres) func directScriptWithoutConnectionIsUnknown() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                2, in: database, concurrency: 1,
                runbooks: #"{ id: "direct", transaction: false, sql: "direct.sql", retries: 3 }"#,
                scripts: [
                    "direct.sql":
                        "INSERT INTO public.witness VALUES (current_schema(), 'direct');\nSELECT pg_sleep(3);\n"
                ])
            let runner = try fleet.start()
            try #require(
                try await eventually {
                    try await database.lines(
                        """
                        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                        WHERE wait_event = 'PgSleep' AND datname = current_database()
                        """) == ["1"]
                })
            let report = try PrintedReport(try await runner.ending())
            #expect(report.exitCode == 5, "\(report.failures)")
            #expect(report.counts.unknown == 1, "\(report.failures)")
            #expect(report.counts.succeeded == 1)
            #expect(try await fleet.lostAndRepeated(of: 2) == (lost: 0, repeated: 0))
            let states = try await database.lines(
                "SELECT tenant, state, attempt FROM muster.known ORDER BY tenant")
            #expect(states == ["t0001|unknown|1", "t0002|succeeded|1"])
        }
    }

    /// Guarantee: transient errors are tried again up to `retries`, and the tries are counted; others are not, nor is
    /// anything that may be half done.
    @Test(.needsPostgres) func transientErrorsAreTriedAgain() async throws {
        try await PostgresDatabase.with { database in
            try await database.psql("CREATE SEQUENCE public.calls_of_serial; CREATE SEQUENCE public.calls_of_deadlock")
            try await database.psql("CREATE SEQUENCE public.calls_of_check; CREATE SEQUENCE public.calls_of_direct")
            func failing(_ name: String, until: Int, _ state: String) -> String {
                """
                INSERT INTO public.witness VALUES (current_schema(), '\(name)');
                DO $$ BEGIN IF nextval('public.calls_of_\(name)') < \(until) THEN
                    RAISE EXCEPTION 'not yet' USING errcode = '\(state)'; END IF; END $$;

                """
            }
            let fleet = try await SchemaFleet.make(
                1, in: database,
                runbooks: """
                    { id: "serial", sql: "serial.sql", retries: 3 },
                    { id: "deadlock", sql: "deadlock.sql", retries: 1 },
                    { id: "check", sql: "check.sql", retries: 3 },
                    { id: "direct", transaction: false, sql: "direct.sql", retries: 3 },
                    """,
                scripts: [
                    "serial.sql": failing("serial", until: 3, "40001"),
                    "deadlock.sql": failing("deadlock", until: 9, "40P01"),
                    "check.sql": failing("check", until: 9, "23514"),
                    "direct.sql": failing("direct", until: 9, "40001"),
                ])
            let report = try await fleet.workplace.apply()
            #expect(report.exitCode == 1, "\(report.failures)")
            let states = try await database.lines(
                "SELECT runbook, state, attempt FROM muster.known ORDER BY runbook")
            #expect(states == ["check|failed|1", "deadlock|failed|2", "direct|failed|1", "serial|succeeded|3"])
            let history = try await database.lines(
                "SELECT runbook, max(attempt), count(*) FROM muster.attempts GROUP BY 1 ORDER BY 1")
            #expect(history == ["check|1|1", "deadlock|2|1", "direct|1|1", "serial|3|1"])
            for (name, calls) in [("serial", 3), ("deadlock", 2), ("check", 1), ("direct", 1)] {
                #expect(
                    try await database.lines("SELECT last_value FROM public.calls_of_\(name)") == ["\(calls)"],
                    "\(name)")
            }
            #expect(try await fleet.lostAndRepeated(of: 1, "serial") == (lost: 0, repeated: 0))
        }
    }
}
