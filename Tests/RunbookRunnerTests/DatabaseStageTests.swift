import DatabaseAccess
import Foundation
import RunbookModel
import TestSupport
import Testing

/// The transactional runbooks of a stage where each tenant has a database of its own.
@Suite(.needsPostgres) struct DatabaseStageTests {
    private static func note(_ id: String, _ more: [String] = [], after: [String] = []) -> Runbook {
        Fleet.runbook(id, ["INSERT INTO effects VALUES ('\(id)')"] + more, after: after)
    }

    /// Guarantee: what is new in a tenant is one message without PL/pgSQL; what is on record is looked at closely.
    @Test func whatIsNewIsOneBriefMessage() async throws {
        try await RepairFleet.with(.databases, ["a", "b"]) { fleet in
            fleet.runbooks = [Self.note("one"), Self.note("two", ["SELECT 1 / 0"]), Self.note("three")]
            let first = CountingOpener()
            let failed = try await fleet.apply(opener: first)
            #expect(failed.exitCode == 1)
            #expect(failed.runbooks.map(\.counts.succeeded) == [2, 0, 2])
            #expect(!first.log.claims.contains { $0.contains("RAISE") })

            fleet.runbooks[1] = Self.note("two")
            let second = CountingOpener()
            let report = try await fleet.apply(opener: second)
            #expect(report.exitCode == 0, "\(report.failures)")
            // The plan knew: nothing was sent in vain.
            #expect(second.log.claims.count == 2)
            #expect(second.log.claims.allSatisfy { $0.contains("RAISE") })
            for tenant in fleet.tenants { #expect(try fleet.effects(tenant) == ["one", "three", "two"]) }
            #expect(try await fleet.apply().nothingToDo)
        }
    }

    /// Guarantee: a slow runbook and those behind it are one message; each runs once and has its own time.
    @Test(arguments: [true, false]) func eachHasItsOwnTime(_ isFused: Bool) async throws {
        try await RepairFleet.with(.databases, ["a"]) { fleet in
            fleet.runbooks = [Self.note("slow", ["SELECT pg_sleep(0.2)"]), Self.note("two"), Self.note("three")]
            let opener = CountingOpener()
            let events = EventLog()
            let report = try await fleet.apply(opener: opener, events: events, isFused: isFused)
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try fleet.effects("a") == ["slow", "three", "two"])
            #expect(opener.log.claims.count == 1)
            let finished = events.events.compactMap { event -> (String, Int)? in
                guard case .executionFinished(_, let identity, .succeeded, _, let spent, _) = event else { return nil }
                return (identity.runbook, spent)
            }
            #expect(finished.map(\.0) == ["slow", "two", "three"])
            #expect(finished.first.map { $0.1 >= 200 } == true)
            #expect(finished.dropFirst().allSatisfy { $0.1 < 200 })
        }
    }

    /// Guarantee: the last commit of a message waits for those before it, whatever its script has set.
    @Test func theLastScriptDoesNotTakeTheWaitAway() async throws {
        try await RepairFleet.with(.databases, ["a"]) { fleet in
            fleet.runbooks = [Self.note("one"), Self.note("two", ["SET synchronous_commit = off"])]
            let opener = CountingOpener()
            let report = try await fleet.apply(opener: opener)
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try fleet.effects("a") == ["one", "two"])
            let message = try #require(opener.log.claims.first)
            let parts = message.components(separatedBy: "SET LOCAL synchronous_commit TO DEFAULT;")
            #expect(parts.count == 2)
            #expect(parts.last?.hasPrefix("\nCOMMIT;") == true)
        }
    }

    /// Guarantee: scripts run in the transactions that are promised, whatever their database's own are.
    @Test(arguments: ["default_transaction_isolation = 'serializable'", "default_transaction_read_only = on"])
    func theDatabasesOwnTransactionsAreNotTaken(_ setting: String) async throws {
        try await RepairFleet.with(.databases, ["a"]) { fleet in
            let assertion = "DO $$ BEGIN ASSERT current_setting('transaction_isolation') = 'read committed'; END $$"
            fleet.runbooks = [Self.note("one", [assertion]), Self.note("two", [assertion])]
            let alter =
                "EXECUTE format('ALTER DATABASE %I SET \(setting.replacing("'", with: "''"))', current_database())"
            try fleet.sql("a", "DO $$ BEGIN \(alter); END $$")
            let report = try await fleet.apply()
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try fleet.effects("a") == ["one", "two"])
        }
    }

    /// Guarantee 4: a database that was restored from an older backup is told as such, with what is missing.
    @Test func anOlderBackupIsSeen() async throws {
        try await RepairFleet.with(.databases, ["a"]) { fleet in
            fleet.runbooks = [Self.note("one"), Self.note("two")]
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.sql("a", "DELETE FROM muster.receipts WHERE runbook = 'two'")
            fleet.runbooks.append(Self.note("three"))
            let report = try await fleet.apply()
            #expect(report.exitCode != 0)
            #expect(report.failures.first?.message.contains("two@1") == true, "\(report.failures)")
            #expect(try fleet.effects("a") == ["one", "two"])
        }
    }

    /// Guarantee 1: a runbook whose receipt stands, although the ledger was never told, is not run again.
    @Test func whatTheLedgerWasNotToldIsDone() async throws {
        try await RepairFleet.with(.databases, ["a"]) { fleet in
            fleet.runbooks = [Self.note("one"), Self.note("two"), Self.note("three")]
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.sql("ledger", "DELETE FROM muster.executions; DELETE FROM muster.sealed; DELETE FROM muster.runs")
            try fleet.sql("a", "DELETE FROM muster.receipts WHERE runbook <> 'two'")
            let report = try await fleet.apply()
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try fleet.effects("a") == ["one", "one", "three", "three", "two"])
        }
    }
}
