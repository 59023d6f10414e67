package import RunbookModel
import Synchronization

/// Shows a run's progress on stderr: a live view on a terminal, a plain line every few seconds elsewhere.
///
/// `send` only notes what happened; `run` alone writes, so that a worker never waits for a slow terminal.
package final class ProgressDisplay: EventSink {
    private struct State {
        var progress = Progress()
        var region = LiveRegion()
        /// Lines that wait to be written, oldest first.
        var log: [String] = []
        var droppedLines = 0
        var shownFailures = 0
        var lastLine: Duration?
    }

    private let output: any TextOutput
    private let timepiece: any Timepiece
    private let style: TextStyle
    private let isVerbose: Bool
    private let masker: Masker
    private let state = Mutex(State())

    private static let frameGap = Duration.milliseconds(125)
    private static let lineGap = Duration.seconds(5)
    private static let failuresShown = 10
    private static let logLimit = 10_000

    package init(
        output: any TextOutput, timepiece: any Timepiece, style: TextStyle, isVerbose: Bool, masker: Masker
    ) {
        self.output = output
        self.timepiece = timepiece
        self.style = style
        self.isVerbose = isVerbose
        self.masker = masker
    }

    package func send(_ event: RunEvent) {
        // The verdict shows it, masked once there.
        if case .summary = event { return }
        let time = timepiece.elapsed
        let event = masker(event)
        state.withLock { state in
            state.progress.apply(event, at: time)
            guard let line = logLine(event, shownFailures: &state.shownFailures) else { return }
            if state.log.count < Self.logLimit { state.log.append(line) } else { state.droppedLines += 1 }
        }
    }

    /// Draws until the task is cancelled, then takes the live view away and writes what is left of the log.
    package func run() async {
        while !Task.isCancelled {
            draw()
            do { try await timepiece.wait(for: Self.frameGap) } catch { break }
        }
        finish()
    }

    private func draw() {
        let time = timepiece.elapsed
        let text = state.withLock { state in
            let log = takeLog(&state)
            if let size = output.terminal {
                let lines = state.progress.hasStarted ? state.progress.frame(at: time, in: size, style: style) : []
                return state.region.redrawing(lines, log: log, columns: size.columns)
            }
            return (log + dueLine(&state, at: time)).map { $0 + "\n" }.joined()
        }
        if !text.isEmpty { output.write(text) }
    }

    private func finish() {
        let text = state.withLock { state in
            let log = takeLog(&state)
            guard let size = output.terminal else { return log.map { $0 + "\n" }.joined() }
            return state.region.redrawing([], log: log, columns: size.columns)
        }
        if !text.isEmpty { output.write(text) }
    }

    /// The plain line, when it is time for one and it says something new.
    private func dueLine(_ state: inout State, at time: Duration) -> [String] {
        guard state.progress.hasStarted else { return [] }
        guard let last = state.lastLine else {
            state.lastLine = time
            return []
        }
        guard time - last >= Self.lineGap else { return [] }
        state.lastLine = time
        return ["muster: " + state.progress.line(at: time)]
    }

    private func takeLog(_ state: inout State) -> [String] {
        defer {
            state.log = []
            state.droppedLines = 0
        }
        let dropped = state.droppedLines
        return dropped == 0 ? state.log : state.log + ["muster: \(Phrase.counted(dropped, "line")) left out here"]
    }

    private func logLine(_ event: RunEvent, shownFailures: inout Int) -> String? {
        switch event {
        case .runStarted(_, let joined, let tenants, let runbooks):
            return "muster: \(joined ? "joined a run: " : "")"
                + "\(Phrase.counted(runbooks, "runbook")) on \(Phrase.counted(tenants, "tenant"))"
        case .message(let text):
            return "muster: " + text.printable
        case .executionFinished(let tenant, let identity, let state, let rows, let milliseconds, let failure):
            let subject = "\(tenant.map { $0.printable + ": " } ?? "")\(identity.description.printable)"
            if let failure {
                shownFailures += 1
                guard isVerbose || shownFailures <= Self.failuresShown else { return nil }
                return style.bad("muster: \(subject) \(failure.state): \(failure.message.printable)")
            }
            guard isVerbose else { return nil }
            return "muster: \(subject) \(state.rawValue), \(Phrase.counted(rows, "row")), "
                + Phrase.duration(milliseconds: milliseconds)
        case .waitingLock(let tenant, let holder):
            guard isVerbose else { return nil }
            return "muster: \(tenant?.printable ?? "the workspace") waits for its lock"
                + (holder.map { ", held by \($0.printable)" } ?? "")
        case .tenantStarted, .batch, .tenantFinished, .summary:
            return nil
        }
    }
}
