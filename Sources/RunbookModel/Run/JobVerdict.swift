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
        if executions.contains(where: { $0.state == .unknown }) { return JobVerdict(state: .unknown) }
        if executions.contains(where: { $0.state == .failed }) { return JobVerdict(state: .failed) }
        if isBlocked { return JobVerdict(state: .blocked, reason: .after) }
        return JobVerdict(state: executions.allSatisfy(\.wasDone) ? .skipped : .succeeded)
    }
}
