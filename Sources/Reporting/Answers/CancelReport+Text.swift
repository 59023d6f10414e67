package import RunbookModel

extension CancelReport: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        guard let run else { return [] }
        let outcome = (run.outcome?.rawValue ?? run.status.rawValue).replacing("_", with: " ")
        guard cancelled else {
            return ["Run \(run.id) had ended already (\(outcome)): there was nothing to cancel."]
        }
        let done = run.counts.succeeded + run.counts.skipped
        var lines = ["Run \(run.id) is cancelled: \(done) of \(Phrase.counted(run.counts.total, "tenant")) done."]
        if runners > 0 {
            lines.append(
                runners == 1
                    ? "Its runner finishes what it is in the middle of, begins nothing more, and ends."
                    : "Its \(runners) runners finish what they are in the middle of, begin nothing more, and end.")
        }
        return lines + ["The next apply is a new run."]
    }
}
