import Foundation
import Reporting
import RunbookModel
import Testing

@Suite struct ProgressDisplayTests {
    private let failure = Failure(tenant: "t", runbook: "r", key: "1", state: "failed", message: "hunter2 is wrong")

    private func run(
        _ events: [RunEvent], terminal: TerminalSize? = nil, verbose: Bool = false,
        for duration: Duration = .seconds(12)
    ) async -> CapturedOutput {
        let output = CapturedOutput(terminal: terminal)
        let timepiece = ManualTimepiece(limit: duration)
        let display = ProgressDisplay(
            output: output, timepiece: timepiece, style: .plain, isVerbose: verbose,
            masker: Masker([Redacted("hunter2")]))
        for event in events { display.send(event) }
        await display.run()
        return output
    }

    /// Guarantee: without a terminal there is a plain line every five seconds, and no escape sequence.
    @Test func plainLinesComeEveryFewSeconds() async {
        let output = await run([
            .runStarted(run: "1", joined: false, tenants: 2, runbooks: 3), .tenantStarted(tenant: "a"),
            .tenantFinished(tenant: "a", state: .succeeded, durationMS: 1),
        ])
        let lines = output.text.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0] == "muster: 3 runbooks on 2 tenants")
        #expect(lines[1].hasPrefix("muster: 1/2 tenants, "))
        #expect(!output.text.contains("\u{1B}"))
    }

    /// Guarantee: failures are told as they happen, masked, and only the first ten of a flood.
    @Test func failuresAreToldAtOnce() async {
        let failed = RunEvent.executionFinished(
            tenant: "t\n", identity: Identity(runbook: "r", key: "1"), state: .failed, rowsAffected: 0, durationMS: 1,
            failure: failure)
        let output = await run(Array(repeating: failed, count: 500), for: .zero)
        let lines = output.text.split(separator: "\n")
        #expect(lines.count == 10)
        #expect(lines.allSatisfy { $0 == "muster: t\\n: r@1 failed: **** is wrong" })
    }

    /// Guarantee: a flood of events while nothing is drawn keeps memory bounded and says what is missing.
    @Test func floodsAreBounded() async {
        let output = await run((0..<20_000).map { .message("m\($0)") }, verbose: true, for: .zero)
        let lines = output.text.split(separator: "\n")
        #expect(lines.count == 10_001)
        #expect(lines.last == "muster: 10000 lines left out here")
    }

    /// Guarantee: on a terminal the view is gone when the run has ended; what was logged stays.
    @Test func viewIsTakenAway() async {
        let output = await run(
            [
                .runStarted(run: "1", joined: true, tenants: 2, runbooks: 1), .tenantStarted(tenant: "a"),
                .message("Hello."),
            ],
            terminal: TerminalSize(columns: 40, rows: 10), for: .seconds(1))
        var terminal = TestTerminal()
        terminal.write(output.text)
        #expect(output.text.contains("0/2 tenants"))
        #expect(terminal.lines == ["muster: joined a run: 1 runbook on 2 tenants", "muster: Hello.", ""])
    }

    /// Guarantee: NDJSON has a line for each event but the summary, which only `finish` writes.
    @Test func eventLinesLeaveTheSummaryToTheCaller() throws {
        let output = CapturedOutput()
        let lines = EventLines(output: output, timepiece: ManualTimepiece(), masker: Masker([Redacted("hunter2")]))
        let report = Report(
            command: "apply", ok: true, exitCode: 0, outcome: .succeeded, startedAt: .now, finishedAt: .now,
            durationMS: 0)
        EventFork([lines]).send(.message("hunter2\nand more"))
        lines.send(.summary(report))
        #expect(
            output.text == #"{"event":"message","at":"1970-01-01T00:00:00.000Z","message":"****\nand more"}"# + "\n")
    }
}
