import Foundation
import TestSupport
import Testing

/// Three runners on one run of 3,000 tenants.
@Suite struct LargeRunTests {
    private static let tenants = 3000

    /// Guarantee: one of three runners is killed half-way; the other two finish the run without an operator, every effect
    /// happens once, and the run completes once.
    @Test(.needsPostgres) func twoFinishWhatThreeBegan() async throws {
        try await PostgresDatabase.with { try await self.twoFinish(in: $0) }
    }

    /// Guarantee: the same when the ledger's server crashes and starts again meanwhile.
    @Test(.needsPostgres) func twoFinishAcrossACrash() async throws {
        try await PostgresCluster.with { cluster, database in
            try await twoFinish(in: database) { try await cluster.restart("immediate") }
        }
    }

    private func twoFinish(
        in database: PostgresDatabase, afterTheKill: () async throws -> Void = {}
    ) async throws {
        let fleet = try await SchemaFleet.make(
            Self.tenants, in: database, runbooks: "{ id: \"short\", sql: \"short.sql\" }",
            scripts: ["short.sql": traced("short", seconds: 0.05)])
        let runners = try (0..<3).map { _ in try fleet.start() }
        try #require(
            try await eventually(within: .seconds(60)) {
                (try? await database.lines("SELECT count(*) FROM muster.runners")) == ["3"]
            })
        try #require(try await eventually(within: .seconds(120)) { try await fleet.effects() >= Self.tenants * 2 / 5 })
        runners[1].send(SIGKILL)
        #expect(try await runners[1].ending().code == 128 + SIGKILL)
        #expect(try await database.lines("SELECT status FROM muster.runs") == ["running"])
        try await afterTheKill()

        for runner in [runners[0], runners[2]] {
            let report = try PrintedReport(try await runner.ending(within: .seconds(120)))
            #expect(report.exitCode == 0, "\(report.failures) \(report.notices) \(String(describing: report.error))")
            #expect(report.counts.succeeded == Self.tenants, "\(report.counts)")
        }
        #expect(try await fleet.lostAndRepeated(of: Self.tenants) == (lost: 0, repeated: 0))
        #expect(try await fleet.runs() == ["completed succeeded 0"])
        let history = try await database.lines(
            "SELECT count(*), count(DISTINCT tenant) FROM muster.attempts WHERE state = 'succeeded'")
        #expect(history == ["\(Self.tenants)|\(Self.tenants)"])
    }
}
