import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// Whatever statement of an apply with hooks fails, the next ones converge to the same state.
@Suite struct HookStatementTests {
    /// A file whose disk fails, and a server that does not answer: the others differ in nothing that concerns hooks.
    private static let cases = [(Layout.files, StatementFault.Kind.lost), (.schemas, .unanswered)].filter {
        Layout.all.contains($0.0)
    }

    /// Guarantee: nothing is touched before `before_run` has passed; the work is done exactly once; each hook of a completed run has
    /// been started, and none is due in the end. For every statement in turn.
    @Test(arguments: cases)
    func theNextApplyConverges(_ layout: Layout, _ kind: StatementFault.Kind) async throws {
        try await RepairFleet.with(layout, ["a"]) { fleet in
            fleet.runbooks = [fleet.effect("rows")]
            let trace = fleet.path("trace")
            var manifest = try fleet.manifest
            for hook in RunHook.allCases {
                manifest.hooks[hook] = HookCommand(
                    arguments: ["/bin/sh", "-c", "echo $MUSTER_HOOK >> \"$0\"", trace], timeout: .seconds(5))
            }
            func lines() throws -> [String] {
                guard FileManager.default.fileExists(atPath: trace) else { return [] }
                return try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").map(String.init)
            }
            var number = 0
            var fault: StatementFault
            repeat {
                number += 1
                fault = StatementFault(kind, at: number)
                let broken = await Fleet.apply(manifest, opener: FaultyOpener(fault: fault))
                if try fleet.effects("a").count > 0 {
                    #expect(try Array(lines().prefix(2)) == ["before_run", "before_tenant"], "\(number): \(broken)")
                }

                // A goodbye that was not said would be waited for.
                let runners = layout == .files ? "muster_runners" : "muster.runners"
                try? fleet.sql("ledger", "UPDATE \(runners) SET ended_at = started_at")
                var report = await Fleet.apply(manifest)
                for _ in 0..<3 where report.exitCode != 0 { report = await Fleet.apply(manifest) }

                #expect(report.exitCode == 0, "\(number): \(broken)\n\(report)")
                #expect(try fleet.effects("a") == ["rows"], "\(number)")
                let started = Set(try lines())
                #expect(
                    started.isSuperset(of: ["before_run", "before_tenant", "after_tenant", "after_run"]),
                    "\(number): \(started)")
                #expect(
                    try fleet.ledger("SELECT count(*) FROM {m}runs WHERE status <> 'completed' OR hooks_due") == ["0"])
                let open = "SELECT count(*) FROM {m}hooks WHERE state NOT IN ('succeeded', 'failed')"
                #expect(try fleet.ledger(open) == ["0"], "\(number): \(broken)")
                #expect(await Fleet.apply(manifest).nothingToDo, "\(number)")
                try fleet.startOver()
            } while fault.hasFired
            // An apply that asks for less would prove less.
            #expect(number > 30)
        }
    }
}
