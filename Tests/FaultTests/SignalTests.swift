import Foundation
import TestSupport
import Testing

/// INT and TERM, given to the built program.
@Suite struct SignalTests {
    private static let sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"

    /// Guarantee: the first signal begins nothing new and lets running transactions finish; the run stays open, report
    /// and ledger agree, and the next apply joins the run and finishes it.
    @Test(.needsPostgres, arguments: [SIGINT, SIGTERM]) func firstSignalLetsRunningWorkFinish(signal: Int32)
        async throws
    {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                20, in: database, concurrency: 2, runbooks: #"{ id: "slow", sql: "slow.sql" }"#,
                scripts: ["slow.sql": traced("slow", seconds: 0.5)])
            let runner = try fleet.start()
            try #require(try await eventually { try await fleet.effects() >= 2 })
            try #require(try await eventually { try await database.lines(Self.sleeping) == ["2"] })
            runner.send(signal)
            let report = try PrintedReport(try await runner.ending(within: .seconds(30)))

            #expect(report.exitCode == 128 + signal)
            #expect(report.counts.failed == 0, "\(report.failures)")
            let effects = try await fleet.effects()
            #expect(effects >= 4 && effects < 20)
            #expect(report.counts.succeeded == effects)
            let jobs = try await database.lines("SELECT state, count(*) FROM muster.jobs GROUP BY 1 ORDER BY 1")
            #expect(jobs == ["queued|\(20 - effects)", "succeeded|\(effects)"])
            #expect(try await fleet.runs() == ["running - \(20 - effects)"])

            let second = try await fleet.workplace.apply()
            #expect(second.exitCode == 0)
            #expect(second.run?.joined == true)
            #expect(second.run?.id == report.run?.id)
            #expect(try await fleet.lostAndRepeated(of: 20) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: what runs longer than the grace is cancelled on the server; so is everything by a second signal. Nothing
    /// of it stays, and the next apply can do it.
    @Test(.needsPostgres, arguments: [true, false]) func cancelledWorkLeavesNothing(byGrace: Bool) async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                4, in: database, concurrency: 2, runbooks: #"{ id: "long", sql: "long.sql" }"#,
                scripts: ["long.sql": traced("long", seconds: 60)])
            let runner =
                try byGrace ? fleet.start("--grace", "1s") : fleet.start("--grace", "60s")
            try #require(try await eventually { try await database.lines(Self.sleeping) == ["2"] })
            runner.send(SIGTERM)
            if !byGrace {
                try await Task.sleep(for: .milliseconds(300))
                #expect(try await database.lines(Self.sleeping) == ["2"])
                runner.send(SIGTERM)
            }
            let began = ContinuousClock.now
            let report = try PrintedReport(try await runner.ending(within: .seconds(30)))
            #expect(ContinuousClock.now - began < .seconds(10))
            #expect(report.exitCode == 143)
            #expect(report.counts.failed == 0, "\(report.failures)")
            #expect(try await database.lines(Self.sleeping) == ["0"])
            #expect(try await fleet.effects() == 0)
            #expect(try await fleet.runs() == ["running - 4"])
            #expect(try await database.lines("SELECT count(*) FROM muster.known") == ["0"])
            let locks = try await database.lines(
                """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """)
            #expect(locks == ["0"])
        }
    }

    /// Guarantee: also after a signal the last line of the NDJSON stream is the summary, whole.
    @Test(.needsPostgres) func summaryIsTheLastLine() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                40, in: database, concurrency: 2, runbooks: #"{ id: "slow", sql: "slow.sql" }"#,
                scripts: ["slow.sql": traced("slow", seconds: 0.4)])
            let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "ndjson").start()
            try #require(try await eventually { try await fleet.effects() >= 1 })
            runner.send(SIGINT)
            let ending = try await runner.ending(within: .seconds(30))
            #expect(ending.code == 130)
            let lines = ending.output.split(separator: "\n")
            let last = try JSONSerialization.jsonObject(with: Data((lines.last ?? "").utf8)) as? [String: Any]
            #expect(last?["event"] as? String == "summary", "\(ending)")
            #expect(lines.filter { $0.contains("\"summary\"") }.count == 1)
        }
    }

    /// Guarantee: a signal before the run began ends the program at once: no ledger, no run, a report.
    @Test(
        .needsPostgres,
        arguments: [
            #"query: "select 't0001' as id, 't0001' as schema from pg_sleep(60)", url: "${DATABASE_URL}","#,
            #"command: ["sleep", "60"],"#,
        ])
    func signalDuringDiscoveryEndsAtOnce(source: String) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try workplace.write("quick.sql", "SELECT 1;\n")
            try workplace.write(
                "deploy.json5",
                """
                { manifest: 1, ledger: { url: "${DATABASE_URL}" },
                  tenants: { \(source) target: { url: "${DATABASE_URL}", schema: "{schema}" } },
                  runbooks: [{ id: "quick", sql: "quick.sql" }] }
                """)
            let runner = try workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
            if source.hasPrefix("query") {
                try #require(try await eventually { try await database.lines(Self.sleeping) == ["1"] })
            } else {
                try await Task.sleep(for: .seconds(1))
            }
            let began = ContinuousClock.now
            runner.send(SIGTERM)
            let report = try PrintedReport(try await runner.ending(within: .seconds(30)))
            #expect(ContinuousClock.now - began < .seconds(5))
            #expect(report.exitCode == 143)
            #expect(report.run == nil)
            #expect(report.error?.code == "interrupted", "\(String(describing: report.error))")
            #expect(try await database.lines("SELECT to_regclass('muster.runs') IS NULL") == ["t"])
            #expect(try await database.lines(Self.sleeping) == ["0"])
        }
    }

    /// Guarantee: `plan` can be interrupted at any time; it has nothing to bring to an end.
    @Test(.needsPostgres) func planEndsAtOnce() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try workplace.write("quick.sql", "SELECT 1;\n")
            try workplace.write(
                "deploy.json5",
                """
                { manifest: 1, ledger: { url: "${DATABASE_URL}" },
                  tenants: { query: "select 'a' as id from pg_sleep(60)", url: "${DATABASE_URL}",
                             target: { url: "${DATABASE_URL}" } },
                  runbooks: [{ id: "quick", sql: "quick.sql" }] }
                """)
            let runner = try workplace.muster("plan", "-f", "deploy.json5").start()
            try #require(try await eventually { try await database.lines(Self.sleeping) == ["1"] })
            runner.send(SIGINT)
            let ending = try await runner.ending(within: .seconds(10))
            #expect(ending.code == 130)
            #expect(!ending.isKilled, "it says so itself, whatever it was doing")
        }
    }
}
