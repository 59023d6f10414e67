/// How one execution ended, as a worker saw it.
package struct ExecutionOutcome: Sendable {
    package var identity: Identity
    package var checksum: String
    /// `succeeded`, `rolled_back`, `failed` or `unknown`.
    package var state: ExecutionState
    /// It was found done under the lock: nothing was run.
    package var wasDone: Bool
    /// The body under a finished key differs, and the runbook does not allow that.
    package var hasDrifted: Bool
    /// How often it was tried by this job; 0 when nothing was run.
    package var tries: Int
    /// Whether the ledger's row counts the last try already, because it was written beside the work.
    package var isRecorded: Bool
    /// Whether its commit has waited for the disk: if not, a server that broke down since may have lost it.
    package var isOnDisk = true
    package var rowsAffected: Int?
    package var durationMS: Int
    package var failure: Failure?
    /// What a hook printed, or the notices of a script; within a limit.
    package var output: String?

    package init(
        identity: Identity, checksum: String, state: ExecutionState, wasDone: Bool = false, hasDrifted: Bool = false,
        tries: Int = 1, isRecorded: Bool = false, rowsAffected: Int? = nil, durationMS: Int = 0,
        failure: Failure? = nil, output: String? = nil
    ) {
        self.identity = identity
        self.checksum = checksum
        self.state = state
        self.wasDone = wasDone
        self.hasDrifted = hasDrifted
        self.tries = tries
        self.isRecorded = isRecorded
        self.rowsAffected = rowsAffected
        self.durationMS = durationMS
        self.failure = failure
        self.output = output
    }
}
