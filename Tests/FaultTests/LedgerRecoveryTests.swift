import Foundation
import TestSupport
import Testing

/// A ledger file that a killed runner left in the middle of something.
@Suite struct LedgerRecoveryTests {
    /// Guarantee: a ledger whose log must be recovered is recovered by the next apply, which finishes the run; plan, which
    /// may write nothing, says that it cannot read it.
    @Test func applyRecoversTheLedger() async throws {
        let fleet = try FileFleet()
        for _ in 0..<4 { try await fleet.addTenant() }
        try fleet.addRunbook()
        let pause =
            "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n"
        try fleet.workplace.write("r1.sql", "INSERT INTO witness VALUES ('r1', muster_tenant());\n\(pause);\n")
        let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5").start()
        let isUnderWay = try await eventually {
            guard fleet.workplace.exists("ledger.db-shm") else { return false }
            return (try? await fleet.ledger.lines("SELECT 1 FROM muster_jobs WHERE state = 'running'"))?.isEmpty
                == false
        }
        try #require(isUnderWay)
        runner.send(SIGKILL)
        _ = try await runner.ending()
        try #require(fleet.workplace.exists("ledger.db-wal"))
        try fleet.workplace.remove("ledger.db-shm")

        #expect(try await fleet.workplace.muster("plan", "-f", "deploy.json5").run().code == 4)
        let report = try await fleet.workplace.apply()

        #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
        for tenant in fleet.present { #expect(try await fleet.effects(of: tenant) == ["r1 \(tenant)"]) }
    }
}
