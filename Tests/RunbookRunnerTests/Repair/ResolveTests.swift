import DatabaseAccess
import Foundation
import LedgerStore
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// `muster resolve`: what a person says of work whose end nobody saw.
@Suite struct ResolveTests {
    /// A fleet with one execution of `raw` whose runner is gone, in tenant a.
    private func withUnseenEnd(
        _ layout: Layout, state: String = "running", _ body: (RepairFleet) async throws -> Void
    ) async throws {
        try await RepairFleet.with(layout, ["a", "b"]) { fleet in
            fleet.runbooks = [
                Fleet.runbook("raw", [layout == .files ? "PRAGMA user_version = 7" : "CHECKPOINT"]) {
                    $0.transaction = false
                }
            ]
            let report = try await fleet.apply()
            #expect(report.exitCode == 0, "\(report)")
            if layout == .schemas {
                try fleet.ledger("UPDATE {m}executions SET state = '\(state)' WHERE tenant = 'a'")
            } else {
                try fleet.ledger("DELETE FROM {m}executions WHERE tenant = 'a'")
                try fleet.receipts("a", "UPDATE {m}receipts SET state = '\(state)'")
            }
            try await body(fleet)
        }
    }

    /// Guarantee: of the tenants that a label means only those are settled in which there is something to decide, and
    /// one event says so; where there is nothing left it is refused.
    @Test(arguments: Layout.all) func selectedTenantsAreSettled(_ layout: Layout) async throws {
        try await withUnseenEnd(layout) { fleet in
            let both = Selection(match: ["id": ["a", "b"]])
            let answer = try await fleet.resolve("raw", .applied, both)
            #expect(answer.exitCode == 0, "\(answer)")
            #expect(answer.tenants.map(\.tenant) == ["a"])
            #expect(try fleet.ledger("SELECT kind, tenant FROM {m}events") == ["resolve_applied|a"])
            let again = try await fleet.resolve("raw", .applied, both)
            #expect(again.exitCode == 4)
            #expect(again.error?.message.contains("In none of the 2 tenants") == true, "\(again)")
            let nobody = try await fleet.resolve("raw", .applied, Selection(match: ["plan": ["x"]]))
            #expect(nobody.exitCode == 4)
            #expect(nobody.error?.message.contains("no tenant has this label") == true, "\(nobody)")
        }
    }

    /// Guarantee: until somebody decides, apply runs nothing and exits with 5; applied ends it, in ledger and receipt.
    @Test(arguments: Layout.all) func appliedIsDone(_ layout: Layout) async throws {
        try await withUnseenEnd(layout) { fleet in
            #expect(try await fleet.apply().exitCode == 5)
            #expect(try await fleet.apply().exitCode == 5)

            let answer = try await fleet.resolve("raw", .applied, "a")

            #expect(answer.exitCode == 0, "\(answer)")
            #expect(answer.tenants.map(\.result) == [.resolved])
            #expect(
                try fleet.ledger("SELECT tenant, state FROM {m}executions ORDER BY 1") == [
                    "a|succeeded", "b|succeeded",
                ])
            #expect(
                try fleet.ledger("SELECT kind, tenant, runbook, key, actor, reason FROM {m}events")
                    == ["resolve_applied|a|raw|1|ann|as tested"])
            if layout != .schemas {
                #expect(try fleet.receipts("a", "SELECT state FROM {m}receipts") == ["succeeded"])
                #expect(try await fleet.repair().exitCode == 0)
            }
            #expect(try await fleet.apply().nothingToDo)
            // A second word changes nothing.
            let again = try await fleet.resolve("raw", .retry, "a")
            #expect(again.exitCode == 4)
            #expect(again.tenants.map(\.result) == [.nothing])
        }
    }

    /// Guarantee: a resolve that was killed between the tenant's receipt and the ledger's record is completed by the next
    /// one; the word that stands in the tenant counts, whatever is said now.
    @Test(arguments: Layout.withReceipts, [ResolveReport.Decision.applied, .retry])
    func halfAResolveIsCompleted(_ layout: Layout, _ decision: ResolveReport.Decision) async throws {
        try await withUnseenEnd(layout, state: "unknown") { fleet in
            #expect(try await fleet.apply().exitCode == 5)
            try fleet.receipts("a", "UPDATE {m}receipts SET state = 'succeeded'")

            let answer = try await fleet.resolve("raw", decision, "a")

            #expect(answer.tenants.map(\.result) == [decision == .applied ? .resolved : .nothing], "\(answer)")
            #expect(answer.tenants.map(\.before) == [.succeeded])
            #expect(
                try fleet.ledger("SELECT tenant, state FROM {m}executions ORDER BY 1") == [
                    "a|succeeded", "b|succeeded",
                ])
            #expect(try fleet.ledger("SELECT count(*) FROM {m}events WHERE tenant = 'a'") == ["1"])
            #expect(try await fleet.repair().exitCode == 0)
            #expect(try await fleet.apply().nothingToDo)
        }
    }

    /// Guarantee: after retry the next apply runs it, once.
    @Test(arguments: Layout.all) func retryRunsAgain(_ layout: Layout) async throws {
        try await withUnseenEnd(layout, state: "unknown") { fleet in
            let answer = try await fleet.resolve("raw", .retry, "a")
            #expect(answer.exitCode == 0, "\(answer)")
            #expect(
                try fleet.ledger("SELECT state, clean FROM {m}executions WHERE tenant = 'a'").first?.hasPrefix(
                    "failed|") == true)
            let report = try await fleet.apply()
            #expect(report.exitCode == 0, "\(report)")
            #expect(report.counts.succeeded == 1)
            #expect(try await fleet.apply().nothingToDo)
        }
    }

    /// Guarantee: several tenants are settled one by one; one that is done, and names that do not exist, are refused.
    @Test func doneAndUnknownNamesAreRefused() async throws {
        try await withUnseenEnd(.files) { fleet in
            let both = try await fleet.resolve("raw", .applied, "a", "b")
            #expect(both.exitCode == 4)
            #expect(both.tenants.map(\.result) == [.resolved, .nothing])
            #expect(try await fleet.resolve("row", .applied, "a").error?.message.contains("raw") == true)
            #expect(try await fleet.resolve("raw", .applied, "z").exitCode == 4)
            #expect(try await fleet.resolve("raw", .applied).exitCode == 4)
        }
    }

    /// Guarantee: what a living runner works on is not settled behind its back.
    @Test(arguments: Layout.all) func livingRunnerIsLeftAlone(_ layout: Layout) async throws {
        try await withUnseenEnd(layout) { fleet in
            let late = layout == .files ? "'9999-01-01T00:00:00.000Z'" : "now() + interval '1 hour'"
            try fleet.ledger("UPDATE {m}runners SET ended_at = NULL, heartbeat_at = \(late)")
            let answer = try await fleet.resolve("raw", .applied, "a")
            #expect(answer.exitCode == 75, "\(answer)")
            #expect(answer.tenants.first?.detail?.contains("at work") == true)
        }
    }

    /// Guarantee: a backend that still works for a dead runner is waited out for half the lock wait, then ended; then
    /// the word of the person counts.
    @Test(arguments: Layout.all.filter { $0 != .files })
    func backendOfDeadRunnerIsEnded(_ layout: Layout) async throws {
        try await withUnseenEnd(layout) { fleet in
            let runner = try #require(try fleet.ledger("SELECT id FROM {m}runners").first)
            let work = try Backend(fleet, runner: runner)
            let answer = try await fleet.resolve("raw", .applied, "a", lockWait: .seconds(4))
            #expect(answer.exitCode == 0, "\(answer)")
            #expect(try await eventually { work.hasEnded })
        }
    }

    /// Guarantee: nobody else's backend is ever ended, whatever it is called.
    @Test(arguments: Layout.all.filter { $0 != .files })
    func strangersAreNeverEnded(_ layout: Layout) async throws {
        try await withUnseenEnd(layout) { fleet in
            let work = try Backend(fleet, runner: "01SOMEBODYELSE")
            let answer = try await fleet.resolve("raw", .applied, "a", lockWait: .seconds(1))
            #expect(answer.exitCode == 75, "\(answer)")
            #expect(!work.hasEnded)
            let report = try await fleet.apply()
            #expect(report.exitCode == (layout == .schemas ? 5 : 75), "\(report)")
            #expect(!work.hasEnded)
        }
    }

    /// Guarantee: apply ends it too, in the second half of its wait, and then says unknown.
    @Test(.needsPostgres) func applyEndsTheHolderOfADeadRunner() async throws {
        try await withUnseenEnd(.databases) { fleet in
            let runner = try #require(try fleet.ledger("SELECT id FROM {m}runners").first)
            let work = try Backend(fleet, runner: runner)
            let report = try await fleet.apply()
            #expect(report.exitCode == 5, "\(report)")
            #expect(try await eventually { work.hasEnded })
        }
    }

    /// Guarantee: a repeatable runbook begins again only when the backend of its last attempt is gone, also when that
    /// one has lost the tenant's lock.
    @Test(arguments: Layout.all.filter { $0 != .files })
    func repeatableWaitsForTheOldBackend(_ layout: Layout) async throws {
        try await withUnseenEnd(layout) { fleet in
            let runner = try #require(try fleet.ledger("SELECT id FROM {m}runners").first)
            let work = try Backend(fleet, runner: runner, holdsLock: false)
            let noted =
                "backend_pid = \(work.pid), backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = \(work.pid))"
            if layout == .schemas {
                try fleet.ledger("UPDATE {m}executions SET \(noted) WHERE tenant = 'a'")
            } else {
                try fleet.receipts("a", "UPDATE {m}receipts SET \(noted)")
            }
            fleet.runbooks[0].repeatable = true
            let report = try await fleet.apply()
            #expect(report.exitCode == 0, "\(report)")
            #expect(work.hasEnded)
        }
    }

    /// A connection of some runner at work in tenant a.
    private final class Backend {
        let pid: Int
        private let fleet: RepairFleet
        private let session: any DatabaseSession

        init(_ fleet: RepairFleet, runner: String, holdsLock: Bool = true) throws {
            self.fleet = fleet
            session = try fleet.open("a", as: "muster/\(runner)")
            pid = try #require(try session.integer("SELECT pg_backend_pid()"))
            if holdsLock {
                _ = try session.rows("SELECT pg_advisory_lock(\(LockKey.tenant("a", workspace: "default")))")
            }
        }

        deinit { session.close() }

        var hasEnded: Bool {
            (try? fleet.ledger("SELECT count(*) FROM pg_stat_activity WHERE pid = \(pid)")) == ["0"]
        }
    }
}
