/// What a tenant's executions make of its job.
package struct JobVerdict: Sendable, Hashable {
    package var state: JobState
    package var reason: BlockReason?

    package init(state: JobState, reason: BlockReason? = nil) {
        self.state = state
        self.reason = reason
    }

    /// - Parameters:
    ///   - executions: those that ended in this job.
    ///   - isBlocked: whether something could not run because of what it comes after.
    package static func of(_ executions: [ExecutionOutcome], isBlocked: Bool) -> JobVerdict {
        // An end that was not seen is never read as a good one.
        if executions.contains(where: { !$0.state.isGood && $0.state != .failed }) {
            return JobVerdict(state: .unknown)
        }
        if executions.contains(where: { $0.state == .failed || $0.hasDrifted }) { return JobVerdict(state: .failed) }
        if isBlocked { return JobVerdict(state: .blocked, reason: .after) }
        return JobVerdict(state: executions.allSatisfy(\.wasDone) ? .skipped : .succeeded)
    }
}
