package import RunbookModel

extension Report {
    /// One sentence: how it ended, and for how many.
    package var verdict: String {
        if nothingToDo { return nothingToDoSentence }
        let all = counts.total
        let done = counts.succeeded + counts.skipped
        let share =
            switch done {
            case all where all == 1: "1 tenant done"
            case all: "all \(all) tenants done"
            case 0: "none of \(Phrase.counted(all, "tenant")) done"
            default: "\(done) of \(all) tenants done"
            }
        let rest =
            [
                (counts.failed, "failed"), (counts.unknown, "unknown"), (counts.blocked, "blocked"),
                (counts.cancelled, "cancelled"), (counts.total - counts.processed, "not finished"),
            ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "\(outcomeWord): " + ([share] + rest).joined(separator: ", ")
            + ", in \(Phrase.duration(milliseconds: durationMS))."
    }

    private var nothingToDoSentence: String {
        if runbooks.isEmpty { return "Nothing to do: no runbook is selected." }
        if counts.total == 0 { return "Nothing to do: no tenant is in scope." }
        let tenants = counts.total == 1 ? "the only tenant" : "all \(counts.total) tenants"
        return "Nothing to do: \(Phrase.counted(runbooks.count, "runbook is", "runbooks are")) done on \(tenants)."
    }

    private var outcomeWord: String {
        switch ExitStatus(rawValue: Int32(exitCode)) {
        case .interrupted: return "Interrupted"
        case .terminated: return "Terminated"
        case .undecided: return "A person must decide"
        default: break
        }
        return switch outcome {
        case .succeeded: "Succeeded"
        case .partiallySucceeded: "Partially succeeded"
        case .failed: "Failed"
        case .blocked: "Blocked"
        case .cancelled: "Cancelled"
        }
    }
}
