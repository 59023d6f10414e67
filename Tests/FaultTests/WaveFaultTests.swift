import Foundation
import TestSupport
import Testing

/// Runners that are killed between two waves.
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
