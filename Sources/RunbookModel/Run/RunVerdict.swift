/// What the jobs of a run make of it: outcome, exit status, and whether trying again may help.
package struct RunVerdict: Sendable, Hashable {
    package var outcome: RunOutcome
    package var exit: ExitStatus
    package var isRetryable: Bool

    /// - Parameters:
    ///   - lockBlocked: jobs blocked because a lock or a server was not to be had.
    ///   - drifted: jobs stopped by drift.
    ///   - signal: what interrupted this runner, if anything did.
    package static func of(_ counts: JobCounts, lockBlocked: Int, drifted: Int, signal: Int32?) -> RunVerdict {
        let done = counts.succeeded + counts.skipped
        let open = counts.total - counts.processed
        let undone = counts.failed + counts.blocked + counts.unknown + counts.cancelled + open
        let outcome: RunOutcome =
            if undone == 0 {
                .succeeded
            } else if done > 0 {
                .partiallySucceeded
            } else if counts.failed + counts.unknown > 0 {
                .failed
            } else if counts.cancelled == 0, counts.blocked > 0 {
                .blocked
            } else {
                .cancelled
            }
        var exit: ExitStatus = .done
        if undone > 0 {
            // Failures beside lock waits are partial whatever is done: the run can be continued.
            let isPartial = done > 0 || counts.failed > 0 && lockBlocked > 0
            exit = exit.merged(with: isPartial ? .partial : .failed)
        }
        if lockBlocked > 0, counts.failed == 0, counts.cancelled == 0 { exit = exit.merged(with: .tryAgain) }
        if counts.unknown > 0 { exit = exit.merged(with: .undecided) }
        if drifted > 0 { exit = exit.merged(with: .refused) }
        switch signal {
        case 2: exit = exit.merged(with: .interrupted)
        case .some: exit = exit.merged(with: .terminated)
        case nil: break
        }
        return RunVerdict(outcome: outcome, exit: exit, isRetryable: lockBlocked > 0 || (signal != nil && open > 0))
    }
}
