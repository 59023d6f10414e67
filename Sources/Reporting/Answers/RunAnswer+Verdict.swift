import RunbookModel

extension RunAnswer {
    /// One sentence: how it ended, and for how many.
    package var verdict: String {
        if report.nothingToDo { return nothingToDoSentence }
        let counts = tenants
        let all = counts.total
        let done = counts.succeeded + counts.skipped
        let share =
            switch done {
            case all where all == 1: "1 tenant done"
            case all: "all \(all) tenants done"
            case 0: "none of \(Phrase.counted(all, "tenant")) done"
            default: "\(done) of \(all) tenants done"
            }
        if report.command == "rollback" || report.run?.kind == .rollback { return rollbackVerdict }
        let rest =
            [
                (counts.failed, "failed"), (counts.unknown, "unknown"), (counts.blocked, "blocked"),
                (counts.cancelled, "cancelled"), (counts.total - counts.processed, "not finished"),
            ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "\(outcomeWord): " + ((all > 0 ? [share] : []) + rest + workspaceWords).joined(separator: ", ")
            + ", in \(Phrase.duration(milliseconds: report.durationMS))."
    }

    /// The same for a rollback: what was done there is not any more.
    private var rollbackVerdict: String {
        let counts = tenants
        let done = counts.succeeded
        let share =
            done == 0 && counts.total > 0
            ? "rolled back on no tenant" : "rolled back on \(Phrase.counted(done, "tenant"))"
        let rest =
            [
                (counts.failed, "failed"), (counts.unknown, "unknown"), (counts.blocked, "blocked"),
                (counts.cancelled, "cancelled"), (counts.total - counts.processed, "not finished"),
                (counts.skipped, "had nothing to undo"),
            ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "\(outcomeWord): " + ((counts.total > 0 ? [share] : []) + rest + workspaceWords).joined(separator: ", ")
            + ", in \(Phrase.duration(milliseconds: report.durationMS))."
    }

    private var workspaceWords: [String] {
        switch workspaceJob {
        case .succeeded, .skipped, nil: tenants.total > 0 ? [] : ["the workspace's own job done"]
        case .queued, .running: ["the workspace's own job not finished"]
        case .some(let state): ["the workspace's own job \(state.rawValue)"]
        }
    }

    private var nothingToDoSentence: String {
        if report.command == "rollback" { return "Nothing to undo: none of it is done." }
        let runbooks = report.runbooks.count
        if runbooks == 0, report.command == "retry" { return "Nothing to do: that run left nothing undone." }
        if runbooks == 0 { return "Nothing to do: no runbook is selected." }
        let done = Phrase.counted(runbooks, "runbook is", "runbooks are") + " done"
        let all = tenants.total
        if all == 0 { return "Nothing to do: " + (workspaceJob == nil ? "no tenant is in scope." : "\(done).") }
        return "Nothing to do: \(done) on \(all == 1 ? "the only tenant" : "all \(all) tenants")."
    }

    private var outcomeWord: String {
        switch ExitStatus(rawValue: Int32(report.exitCode)) {
        case .interrupted: return "Interrupted"
        case .terminated: return "Terminated"
        case .undecided: return "A person must decide"
        default: break
        }
        return switch report.outcome {
        case .succeeded: "Succeeded"
        case .partiallySucceeded: "Partially succeeded"
        case .failed: "Failed"
        case .blocked: "Blocked"
        case .cancelled: "Cancelled"
        }
    }
}
