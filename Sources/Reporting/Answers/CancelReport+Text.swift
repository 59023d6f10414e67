package import RunbookModel

extension CancelReport: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        guard let run else { return [] }
        let outcome = (run.outcome?.rawValue ?? run.status.rawValue).replacing("_", with: " ")
        if let tenants { return lines(of: tenants, run, outcome) }
        guard cancelled else {
            return ["Run \(run.id) had ended already (\(outcome)): there was nothing to cancel."]
        }
        var lines = ["Run \(run.id) is cancelled: \(Self.progress(run))."]
        if runners > 0 {
            lines.append(
                runners == 1
                    ? "Its runner finishes what it is in the middle of, begins nothing more, and ends."
                    : "Its \(runners) runners finish what they are in the middle of, begin nothing more, and end.")
        }
        return lines + ["The next apply is a new run."]
    }

    /// What became of tenants that the run goes on without.
    private func lines(of tenants: [Answer], _ run: RunRecord, _ outcome: String) -> [String] {
        func names(_ result: Result, before: JobState? = nil) -> [String] {
            tenants.filter { $0.result == result && (before == nil || $0.before == before) }.map(\.tenant)
        }
        var lines: [String] = []
        func say(_ names: [String], _ one: String, _ many: String) {
            if !names.isEmpty { lines.append("\(Phrase.names(names)) \(names.count == 1 ? one : many)") }
        }
        say(names(.cancelled), "is cancelled.", "are cancelled.")
        say(
            names(.underWay), "is with a runner: what is under way there may finish, and nothing more of it begins.",
            "are with a runner: what is under way there may finish, and nothing more of them begins.")
        for state in JobState.allCases where state != .cancelled {
            let word = state.rawValue
            say(names(.ended, before: state), "had ended already (\(word)).", "had ended already (\(word)).")
        }
        say(names(.ended, before: .cancelled), "was cancelled before.", "were cancelled before.")
        say(
            names(.absent), "has no part in it: it was done before, or the run is not about it.",
            "have no part in it: they were done before, or the run is not about them.")
        if lines.isEmpty { lines.append("None of these tenants has a part in it.") }
        let end = run.status == .completed ? "has ended (\(outcome))" : "goes on"
        return lines + ["Run \(run.id) \(end): \(Self.progress(run))."]
    }

    private static func progress(_ run: RunRecord) -> String {
        let done = run.counts.succeeded + run.counts.skipped
        return "\(done) of \(Phrase.counted(run.counts.total, "tenant")) done"
    }
}
