import Reporting
import RunbookModel
import Testing

@Suite struct FrameTests {
    private static let names = [
        "acme", "日本語の会社名がとても長い場合", "👩‍👩‍👧 family", "evil\u{1B}[2J\nname", String(repeating: "x", count: 300), "e\u{301}",
    ]

    private func progress() -> Progress {
        var progress = Progress()
        progress.apply(.runStarted(run: "1", joined: false, tenants: 1000, runbooks: 3), at: .zero)
        for name in Self.names + (1...20).map({ "t\($0)" }) {
            progress.apply(.tenantStarted(tenant: name), at: .zero)
            progress.apply(.tenantStarted(tenant: name + " failing"), at: .zero)
            progress.apply(.tenantFinished(tenant: name + " failing", state: .failed, durationMS: 1), at: .seconds(1))
        }
        progress.apply(.waitingLock(tenant: "acme", holder: "muster/x"), at: .seconds(1))
        return progress
    }

    /// Guarantee: the view is never higher nor wider than the terminal, whatever its size and the tenants' names, and
    /// holds no control character of theirs.
    @Test(arguments: [1, 2, 3, 5, 24, 200], [1, 2, 10, 20, 40, 80, 250])
    func frameFits(_ rows: Int, _ columns: Int) {
        let size = TerminalSize(columns: columns, rows: rows)
        let lines = progress().frame(at: .seconds(2), in: size, style: .plain)
        #expect(!lines.isEmpty)
        #expect(lines.count <= max(1, rows - 1))
        #expect(lines.allSatisfy { $0.displayWidth <= max(1, columns - 1) })
        #expect(lines.allSatisfy { $0.printable == $0 })
    }

    /// Guarantee: on a usual terminal the view says how far it is, who failed and who is under way.
    @Test func frameSaysItAll() {
        let lines = progress().frame(at: .seconds(2), in: TerminalSize(columns: 60, rows: 10), style: .plain)
        #expect(lines[0].hasSuffix("26/1000 tenants, 26 failed, 13/s, 1 min 15 s left") || lines[0].contains("26/1000"))
        #expect(lines[1].hasPrefix("  26 failed: acme failing, "))
        #expect(lines[2].contains("acme") && lines[2].contains("waits for its lock"))
        #expect(lines.last?.hasSuffix("more under way") == true)
    }

    /// Guarantee: each frame takes the place of the one before, log lines scroll away above, and at the end nothing of
    /// the view is left.
    @Test func redrawingLeavesOnlyTheLog() {
        var terminal = TestTerminal()
        var region = LiveRegion()
        terminal.write("$ muster apply\n")
        terminal.write(region.redrawing(["one", "two"], columns: 80))
        #expect(terminal.lines == ["$ muster apply", "one", "two", ""])
        terminal.write(region.redrawing(["three"], log: ["a failed"], columns: 80))
        #expect(terminal.lines == ["$ muster apply", "a failed", "three", ""])
        terminal.write(region.redrawing(["four", "five", "six"], columns: 80))
        terminal.write(region.redrawing([], log: ["b failed"], columns: 80))
        #expect(terminal.lines == ["$ muster apply", "a failed", "b failed", ""])
    }

    /// Guarantee: a terminal that was made narrower, and folded the view, shows no rest of it.
    @Test(arguments: 1...12)
    func redrawingSurvivesResizing(_ columns: Int) {
        var terminal = TestTerminal()
        var region = LiveRegion()
        terminal.write("$\n")
        terminal.write(region.redrawing(["0123456789", "abcd", ""], columns: 12))
        terminal.narrow(to: columns)
        terminal.write(region.redrawing(["x"], columns: columns))
        #expect(terminal.lines == ["$", "x", ""])
    }
}
