import DatabaseAccess
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// Whatever statement of a person's verb fails, calling it again ends in the same state.
@Suite struct OperatorFaultTests {
    /// Between ledger and tenant in one database and in two, only a lost answer makes a difference.
    private static let cases = Layout.all.flatMap { layout in
        StatementFault.Kind.allCases.filter { layout != .databases || $0 == .unanswered }.map { (layout, $0) }
    }

    /// Guarantee: a baseline never runs anything, and ledger and receipts agree once it has answered 0.
    @Test(arguments: cases) func theNextBaselineConverges(_ layout: Layout, _ kind: StatementFault.Kind) async throws {
        try await RepairFleet.with(layout, ["a"]) { fleet in
            fleet.runbooks = [fleet.effect("one"), fleet.effect("two")]
            let request = BaselineRequest(
                selection: Selection(), actor: "ann", reason: "as tested", lockWait: .seconds(2))
            var number = 0
            var fault: StatementFault
            repeat {
                number += 1
                fault = StatementFault(kind, at: number)
                let broken = await RunbookService(opener: FaultyOpener(fault: fault))
                    .baseline(try fleet.manifest, request)

                let answer = await RunbookService(opener: RealOpener()).baseline(try fleet.manifest, request)

                #expect(answer.exitCode == 0, "statement \(number): \(broken)\n\(answer)")
                let declared = zip(broken.runbooks, answer.runbooks).map { $0.baselined + $1.baselined }
                #expect(declared.allSatisfy { $0 <= 1 }, "statement \(number): \(broken)\n\(answer)")
                #expect(
                    try fleet.ledger("SELECT tenant, runbook, state FROM {m}executions ORDER BY 1, 2")
                        == ["a|one|baselined", "a|two|baselined"], "statement \(number)")
                #expect(
                    try fleet.ledger("SELECT count(*) FROM {m}events WHERE kind = 'baseline'") == ["2"],
                    "statement \(number)")
                if layout != .schemas {
                    #expect(
                        try fleet.receipts("a", "SELECT state FROM {m}receipts") == ["baselined", "baselined"],
                        "statement \(number)")
                }
                #expect(try await fleet.repair().exitCode == 0, "statement \(number)")
                #expect(try await fleet.apply().nothingToDo, "statement \(number)")
                #expect(try fleet.effects("a").isEmpty, "statement \(number)")
                try fleet.startOver()
            } while fault.hasFired
            #expect(number > 10)
        }
    }

    /// Guarantee: a cancel has happened whole, with its event, or not at all.
    @Test(arguments: Layout.all.filter { $0 != .databases }, StatementFault.Kind.allCases)
    func theNextCancelConverges(_ layout: Layout, _ kind: StatementFault.Kind) async throws {
        try await RepairFleet.with(layout, ["a"]) { fleet in
            fleet.runbooks = [fleet.effect("one")]
            var number = 0
            var fault: StatementFault
            repeat {
                number += 1
                fault = StatementFault(kind, at: number)
                let manifest = try fleet.manifest
                let run = try #require(try await fleet.apply().run?.id)
                try fleet.ledger("UPDATE {m}runs SET status = 'running', outcome = NULL")
                try fleet.ledger("UPDATE {m}jobs SET state = 'queued'")
                func cancel(_ opener: any SessionOpener) async -> CancelReport {
                    await RunbookService(opener: opener).cancel(
                        run, ledger: manifest.ledger, workspace: manifest.workspace, actor: "ann", reason: "as tested")
                }
                let broken = await cancel(FaultyOpener(fault: fault))
                let events = try fleet.ledger("SELECT count(*) FROM {m}events")
                let jobs = try fleet.ledger("SELECT DISTINCT state FROM {m}jobs")
                #expect(
                    (events, jobs) == (["1"], ["cancelled"]) || (events, jobs) == (["0"], ["queued"]),
                    "statement \(number): \(broken)")
                #expect(!broken.ok || events == ["1"], "statement \(number): \(broken)")

                let answer = await cancel(RealOpener())

                #expect(answer.exitCode == 0, "statement \(number): \(answer)")
                #expect(
                    try fleet.ledger("SELECT status, outcome, stop_reason FROM {m}runs")
                        == ["completed|cancelled|cancelled by ann: as tested"], "statement \(number)")
                #expect(try fleet.ledger("SELECT count(*) FROM {m}events") == ["1"], "statement \(number)")
                try fleet.startOver()
            } while fault.hasFired
            #expect(number > 5)
        }
    }
}
