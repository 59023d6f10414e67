import Foundation
import TestSupport
import Testing

/// Runners that are killed between two waves, and rules that stop a run, through the built program.
@Suite struct WaveFaultTests {
    /// A gate that hangs when it is asked first, and passes when it is asked again.
    private static let gate = """
        #!/bin/sh
        if [ -e asked ]; then echo again >> asked; exit 0; fi
        echo first > asked
        exec sleep 20
        """

    private func fleet(_ count: Int, in database: PostgresDatabase, wave: String) async throws -> SchemaFleet {
        try await SchemaFleet.make(
            count, in: database,
            top: """
                rollout: { waves: [
                    { name: "canary", match: { id: ["t0001", "t0002"] }, max_failures: 0, \(wave) },
                    { name: "everyone" },
                ] },
                """,
            runbooks: "{ id: \"r\", sql: \"r.sql\" }", scripts: ["r.sql": traced("r"), "gate": Self.gate])
    }

    /// The canary's fourth tenant of ten fails.
    private func sickCanary(_ count: Int, in database: PostgresDatabase) async throws -> SchemaFleet {
        let names = (1...10).map { "\"t\(String(format: "%04d", $0))\"" }.joined(separator: ", ")
        let fleet = try await SchemaFleet.make(
            count, in: database,
            top: """
                rollout: { waves: [
                    { name: "canary", match: { id: [\(names)] }, max_failures: 0 }, { name: "everyone" },
                ] },
                """,
            runbooks: #"{ id: "r", sql: "r.sql" }"#,
            scripts: ["r.sql": traced("r") + "SELECT 1 / divisor FROM switch;\n"])
        try await database.psql(
            """
            DO $$ BEGIN FOR i IN 1..\(count) LOOP
                EXECUTE format('CREATE TABLE %I.switch AS SELECT %s AS divisor', 't' || to_char(i, 'FM0000'),
                    CASE i WHEN 4 THEN 0 ELSE 1 END);
            END LOOP; END $$;
            """)
        return fleet
    }

    /// Demands that nobody beyond the canary has, or ever had, anything.
    private func expectNobodyBeyond(_ database: PostgresDatabase) async throws {
        #expect(try await database.lines("SELECT count(*) FROM public.witness WHERE tenant > 't0010'") == ["0"])
        #expect(try await database.lines("SELECT count(*) FROM muster.attempts WHERE tenant > 't0010'") == ["0"])
        #expect(try await database.lines("SELECT count(*) FROM muster.executions WHERE tenant > 't0010'") == ["0"])
        let begun = "SELECT count(*) FROM muster.jobs WHERE wave = 'everyone' AND attempt > 0"
        #expect(try await database.lines(begun) == ["0"])
    }

    /// Guarantee: one tenant of the canary that fails stops the run with zero tenants of the second wave touched; once it
    /// is mended, the next apply does all of it.
    @Test(.needsPostgres) func failingCanaryStopsTheRun() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await sickCanary(300, in: database)

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 3, "\(report.counts)")
            #expect(report.counts.failed == 1)
            #expect(report.counts.succeeded + report.counts.cancelled == 299)
            #expect(report.counts.succeeded <= 9)
            try await expectNobodyBeyond(database)
            let reason = try await database.lines("SELECT stop_reason FROM muster.runs")
            #expect(reason == ["max_failures 0: 1 tenant of wave canary failed, and none may"])

            try await database.psql("UPDATE t0004.switch SET divisor = 1")
            #expect(try await fleet.workplace.apply().exitCode == 0)
            #expect(try await fleet.lostAndRepeated(of: 300) == (lost: 0, repeated: 0))
        }
    }

    /// Guarantee: the same when the runner is killed around the moment in which the failure is written down, or the rule is
    /// kept: whoever goes on does not go on to the second wave.
    @Test(
        .needsPostgres, .needsFailpoints,
        arguments: [
            "script_message.after=kill@4", "write_results.before=kill@1", "write_results.after=kill@1",
            "advance_run.before=kill@1", "complete_run.before=kill@1",
        ])
    func killedRunnerOfAFailingCanary(_ death: String) async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await sickCanary(60, in: database)
            let killed = try await Command(
                [Checkout.muster, "apply", "-f", "deploy.json5", "--format", "json"], folder: fleet.workplace.folder,
                environment: fleet.workplace.environment.merging(["MUSTER_FAILPOINTS": death]) { $1 }
            ).run()
            // The run may be over before it gets there.
            #expect(killed.code == 128 + SIGKILL || killed.code == 3, "\(killed)")
            try await expectNobodyBeyond(database)

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 3 || report.exitCode == 1, "\(report.counts)")
            #expect(report.counts.failed == 1)
            try await expectNobodyBeyond(database)
            #expect(try await fleet.runs().allSatisfy { $0.hasPrefix("completed") && $0.hasSuffix(" 0") })
        }
    }

    /// Guarantee: `same_error: 20` stops a run over 1,000 tenants behind 20 identical failures and those that the workers
    /// had begun; all others are as they were.
    @Test(.needsPostgres, arguments: [4, 16]) func sameErrorStopsAThousandTenants(_ workers: Int) async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                1000, in: database, concurrency: workers, top: "rollout: { same_error: 20 },",
                runbooks: #"{ id: "r", sql: "r.sql" }"#,
                scripts: ["r.sql": "SELECT pg_sleep(0.01);\nSELECT 1 / 0;\n"])

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 1)
            #expect((20...20 + workers).contains(report.counts.failed), "\(report.counts)")
            #expect(report.counts.failed + report.counts.cancelled == 1000, "\(report.counts)")
            #expect(report.causes.map(\.count) == [report.counts.failed])
            let tried = try await database.lines("SELECT count(DISTINCT tenant) FROM muster.attempts")
            #expect(tried == ["\(report.counts.failed)"])
            let reason = try await database.lines("SELECT stop_reason FROM muster.runs")
            #expect(reason == ["same_error 20: 20 tenants failed alike: division by zero"])
            #expect(try await fleet.runs() == ["completed failed 0"])
        }
    }

    /// Guarantee: after kill -9 at the gate no tenant of the next wave is touched; the next apply joins the run, asks the
    /// gate again, and everything is done once.
    @Test(.needsPostgres) func runnerKilledAtTheGate() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(30, in: database, wave: "gate: { exec: [\"./gate\"] }")
            let first = try fleet.start()
            try #require(try await eventually { fleet.workplace.exists("asked") })
            first.send(SIGKILL)
            _ = try await first.ending()
            #expect(try await fleet.effects() == 2)

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures) \(report.notices)")
            #expect(report.run?.joined == true)
            #expect(try fleet.workplace.read("asked") == "first\nagain\n")
            #expect(try await fleet.lostAndRepeated(of: 30) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: when the runner that asks the gate is killed, another one of the run asks it and goes on.
    @Test(.needsPostgres) func otherRunnerTakesOverTheGate() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(30, in: database, wave: "gate: { exec: [\"./gate\"] }")
            let first = try fleet.start()
            try #require(try await eventually { fleet.workplace.exists("asked") })
            let second = try fleet.start()
            try #require(
                try await eventually {
                    try await database.lines("SELECT count(*) FROM muster.runners WHERE ended_at IS NULL") == ["2"]
                })
            first.send(SIGKILL)
            _ = try await first.ending()

            let report = try PrintedReport(try await second.ending(within: .seconds(60)))

            #expect(report.exitCode == 0, "\(report.failures) \(report.notices)")
            #expect(try fleet.workplace.read("asked") == "first\nagain\n")
            #expect(try await fleet.lostAndRepeated(of: 30) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: a runner that is killed in the pause between two waves has touched nobody of the next; the next apply
    /// waits out the rest of the pause, by the ledger's clock.
    @Test(.needsPostgres) func runnerKilledInThePause() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(30, in: database, wave: "pause: \"8s\"")
            let first = try fleet.start()
            try #require(try await eventually { try await fleet.effects() == 2 })
            let isOver = "SELECT count(*) FROM muster.jobs WHERE state = 'succeeded'"
            try #require(try await eventually { try await database.lines(isOver) == ["2"] })
            first.send(SIGKILL)
            _ = try await first.ending()
            #expect(try await fleet.effects() == 2)

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures) \(report.notices)")
            let gap = """
                SELECT min(claimed_at) FILTER (WHERE wave = 'everyone')
                    - max(finished_at) FILTER (WHERE wave = 'canary') >= interval '8 s' FROM muster.jobs
                """
            #expect(try await database.lines(gap) == ["t"])
            #expect(try await fleet.lostAndRepeated(of: 30) == (lost: 0, repeated: 0))
        }
    }
}
