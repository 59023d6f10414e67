import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// What a runbook declares beside its work, in every place that tenants live in.
@Suite struct DeclaredRulesTests {
    /// Guarantee: a changed body under a finished key is refused, counted as done, or run once more.
    @Test(arguments: Layout.all, ChangePolicy.allCases)
    func changedBody(_ layout: Layout, _ policy: ChangePolicy) async throws {
        try await RepairFleet.with(layout, ["a", "b"]) { fleet in
            fleet.runbooks = [fleet.effect("r")]
            #expect(try await fleet.apply().exitCode == 0)
            fleet.runbooks = [fleet.effect("r", body: "!") { $0.onChange = policy }]

            let report = try await fleet.apply()

            switch policy {
            case .fail:
                #expect(report.exitCode == 4 && report.error?.code == "drift", "\(report)")
                #expect(try fleet.effects("a") == ["r"])
            case .accept:
                #expect(report.nothingToDo, "\(report)")
                #expect(try fleet.effects("a") == ["r"])
            case .rerun:
                #expect(report.exitCode == 0 && report.counts.succeeded == 2, "\(report)")
                #expect(try fleet.effects("a") == ["r", "r!"] && fleet.effects("b") == ["r", "r!"])
            }
            if policy != .fail { #expect(try await fleet.apply().nothingToDo) }
        }
    }

    /// Guarantee: nobody gets what stands behind a barrier before everybody has what stands before it; where that fails in
    /// one tenant, nobody gets it, and the next apply goes on.
    @Test(arguments: Layout.all) func barrierIsForAll(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a", "b", "c"]) { fleet in
            let first = fleet.effect("first")
            fleet.runbooks = [first, fleet.effect("behind") { $0.barrier = true }]
            let schema = layout == .schemas ? "b." : ""
            try fleet.sql("b", "ALTER TABLE \(schema)effects RENAME TO hidden")

            let report = try await fleet.apply()

            #expect(report.exitCode == 3 || report.exitCode == 1, "\(report)")
            #expect(report.counts.failed == 1 && report.counts.blocked == 2, "\(report)")
            #expect(try fleet.effects("a") == ["first"] && fleet.effects("c") == ["first"])
            try fleet.sql("b", "ALTER TABLE \(schema)hidden RENAME TO effects")
            #expect(try await fleet.apply().exitCode == 0)
            for tenant in ["a", "b", "c"] { #expect(try fleet.effects(tenant) == ["behind", "first"]) }
        }
    }

    /// Guarantee: a tenant that does not match is not touched and counts as done.
    @Test(arguments: Layout.all) func matchChooses(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a", "b"]) { fleet in
            fleet.runbooks = [fleet.effect("all"), fleet.effect("some") { $0.match = ["plan": ["pro"]] }]
            var manifest = try fleet.manifest
            manifest.tenants.source = .list([
                Tenant(id: "a", labels: ["plan": "free"]), Tenant(id: "b", labels: ["plan": "pro"]),
            ])
            let report = await Fleet.apply(manifest)
            #expect(report.exitCode == 0, "\(report)")
            #expect(try fleet.effects("a") == ["all"] && fleet.effects("b") == ["all", "some"])
            #expect(await Fleet.apply(manifest).nothingToDo)
        }
    }

    /// Guarantee: where `verify` does not answer true, the execution has failed and nothing of it stays.
    @Test(arguments: Layout.all) func verifyDecides(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a"]) { fleet in
            let question = Fleet.script("verify.sql", ["SELECT count(*) = 2 FROM effects"])
            fleet.runbooks = [fleet.effect("r") { $0.verify = question }]
            let report = try await fleet.apply()
            #expect(report.exitCode == 1, "\(report)")
            #expect(report.failures.first?.message == "verify answered false, not true")
            #expect(try fleet.effects("a").isEmpty)
            fleet.runbooks = [fleet.effect("before"), fleet.effect("r") { $0.verify = question }]
            #expect(try await fleet.apply().exitCode == 0)
        }
    }
}
