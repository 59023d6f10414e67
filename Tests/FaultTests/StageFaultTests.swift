import DatabaseAccess
import Foundation
import TestSupport
import Testing

/// A stage of several runbooks, which is one message per tenant, cut in the middle.
@Suite struct StageFaultTests {
    private static let runbooks = """
        { id: "one", sql: "one.sql" }, { id: "two", sql: "two.sql" }, { id: "three", sql: "three.sql" },
        """

    /// Guarantee: after kill -9 in the second of three runbooks the first stands, and the next apply does the other two,
    /// each once.
    @Test(.needsPostgres) func killedInTheMiddleGoesOnThere() async throws {
        try await PostgresDatabase.with { database in
            try await database.psql("CREATE TABLE public.nap (seconds float8); INSERT INTO public.nap VALUES (120)")
            let fleet = try await SchemaFleet.make(
                4, in: database, runbooks: Self.runbooks,
                scripts: [
                    "one.sql": traced("one"),
                    "two.sql": traced("two") + "SELECT pg_sleep(seconds) FROM public.nap;\n",
                    "three.sql": traced("three"),
                ])
            let runner = try fleet.start()
            try #require(try await eventually { try await Self.sleepers(database) == 4 })
            runner.send(SIGKILL)
            _ = try await runner.ending()
            // The server notices that nobody is there any more.
            try #require(try await eventually { try await Self.sleepers(database) == 0 })
            let completed = "SELECT runbook, count(*) FROM muster.completed GROUP BY 1 ORDER BY 1"
            #expect(try await database.lines(completed) == ["one|4"])
            #expect(try await fleet.effects() == 4)
            try await database.psql("UPDATE public.nap SET seconds = 0")

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try await database.lines(completed) == ["one|4", "three|4", "two|4"])
            for runbook in ["one", "two", "three"] {
                #expect(try await fleet.lostAndRepeated(of: 4, runbook) == (lost: 0, repeated: 0))
            }
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: when the network is cut while a stage's message is under way, the receipts tell which of its runbooks
    /// were committed, heard of or not; the rest is done, and everything once.
    @Test(.needsPostgres) func cutInTheMiddleIsSettledByTheReceipts() async throws {
        try await PostgresProxy.with { proxy in
            try await PostgresDatabase.with { database in
                let through = try proxy.url("dbname=\(database.name)").revealed
                let fleet = try await SchemaFleet.make(
                    80, in: database, url: through, ledger: database.url, runbooks: Self.runbooks,
                    scripts: [
                        "one.sql": traced("one", seconds: 0.03), "two.sql": traced("two", seconds: 0.03),
                        "three.sql": traced("three", seconds: 0.03),
                    ])
                let runner = try fleet.start()
                try #require(try await eventually { try await fleet.effects() >= 1 })
                var cuts = 0
                while runner.isRunning, cuts < 20 {
                    proxy.dropAnswers()
                    try await Task.sleep(for: .milliseconds(Int.random(in: 20...120)))
                    proxy.cut()
                    cuts += 1
                    try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
                }
                let report = try PrintedReport(try await runner.ending())
                #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
                #expect(cuts >= 3)
                for runbook in ["one", "two", "three"] {
                    #expect(try await fleet.lostAndRepeated(of: 80, runbook) == (lost: 0, repeated: 0))
                }
                #expect(report.counts.succeeded == 80, "\(report.counts)")
                let executions = try await database.lines(
                    "SELECT count(*), bool_and(state = 'succeeded'), bool_and(attempt >= 1) FROM muster.known")
                #expect(executions == ["240|t|t"])
            }
        }
    }

    /// Guarantee: where a message fails and its runner has no time left to give the tenant's lock back, whoever takes the
    /// tenant over ends that session.
    @Test(.needsPostgres) func theLockOfAStoppedRunnerIsEnded() async throws {
        try await PostgresDatabase.with { database in
            try await database.psql("CREATE TABLE public.nap AS SELECT 2::float8 AS seconds, 0 AS divisor")
            let fleet = try await SchemaFleet.make(
                1, in: database, runbooks: Self.runbooks,
                scripts: [
                    "one.sql": traced("one"),
                    "two.sql": traced("two") + "SELECT pg_sleep(seconds) FROM public.nap;\n"
                        + "SELECT 1 / divisor FROM public.nap;\n",
                    "three.sql": traced("three"),
                ])
            let runner = try fleet.start()
            try #require(try await eventually { try await Self.sleepers(database) == 1 })
            runner.send(SIGSTOP)
            try #require(try await eventually { try await Self.sleepers(database) == 0 })
            let held = """
                SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock' AND a.datname = current_database()
                    AND a.state = 'idle in transaction (aborted)'
                """
            #expect(try await database.lines(held) == ["1"])
            try await database.psql("UPDATE public.nap SET seconds = 0, divisor = 1")

            let began = ContinuousClock.now
            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures)")
            // Long before half of lock_wait has passed.
            #expect(ContinuousClock.now - began < .seconds(100))
            runner.send(SIGKILL)
            _ = try await runner.ending()
            for runbook in ["one", "two", "three"] {
                #expect(try await fleet.lostAndRepeated(of: 1, runbook) == (lost: 0, repeated: 0))
            }
        }
    }

    private static func sleepers(_ database: PostgresDatabase) async throws -> Int {
        let lines = try await database.lines(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()")
        return Int(lines.first ?? "") ?? -1
    }
}
