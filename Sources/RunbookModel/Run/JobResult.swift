/// What became of one claimed job.
package struct JobResult: Sendable {
    package var job: ClaimedJob
    /// `queued` gives it back: to the stage in `nextStage`, or to the same one when the run is stopping.
    package var state: JobState
    package var reason: BlockReason?
    package var hasDrifted: Bool
    /// Why it is blocked, for people.
    package var message: String?
    package var nextStage: Int?
    package var executions: [ExecutionOutcome]
    package var durationMS: Int
    /// Why nothing of it was run: the hook before it failed.
    package var hookFailure: Failure?

    /// What it failed of; nil when it did not.
    package var failure: Failure? {
        guard hasFailed else { return nil }
        if let hookFailure { return hookFailure }
        return executions.lazy.filter { !$0.state.isGood }.compactMap(\.failure).first
    }

    /// Whether it counts as a failure where failures stop a run: an end that nobody saw does.
    package var hasFailed: Bool { state == .failed || state == .unknown }

    package init(
        job: ClaimedJob, state: JobState, reason: BlockReason? = nil, hasDrifted: Bool = false, message: String? = nil,
        nextStage: Int? = nil, executions: [ExecutionOutcome] = [], durationMS: Int = 0
    ) {
        self.job = job
        self.state = state
        self.reason = reason
        self.hasDrifted = hasDrifted
        self.message = message
        self.nextStage = nextStage
        self.executions = executions
        self.durationMS = durationMS
    }
}

/// A job that a runner has claimed.
package struct ClaimedJob: Sendable, Hashable {
    /// Empty for the workspace's own job.
    package var tenant: String
    package var stage: Int
    /// How often this job has been claimed; with the runner it is the fence of every write.
    package var attempt: Int
    /// A number that only grows over all claims of this ledger: the fence of receipts elsewhere.
    package var fence: Int
    /// The set that the tenant's finished work was in when it was claimed, 0 for none; nil: not asked.
    package var set: Int?

    package init(tenant: String, stage: Int, attempt: Int, fence: Int, set: Int? = nil) {
        self.tenant = tenant
        self.stage = stage
        self.attempt = attempt
        self.fence = fence
        self.set = set
    }
}
