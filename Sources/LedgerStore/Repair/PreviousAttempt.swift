package import RunbookModel

/// What is on record of the last attempt at work that cannot be transactional, as far as it may still be going on.
package struct PreviousAttempt: Sendable, Hashable {
    package var state: ExecutionState
    /// Of one that failed: whether nothing of it remains.
    package var clean: Bool?
    package var run: String?
    package var runner: String?
    package var host: String?
    /// nil: it was not recorded, because there was no hook or its runner died right after the start.
    package var processGroup: Int32?
    /// Tells a process from a later one with its number.
    package var processStart: String?
    /// Milliseconds until the hook's time limit has passed for sure, by the database's clock; nil for what is no hook.
    package var remaining: Int?

    package init(
        state: ExecutionState, clean: Bool? = nil, run: String?, runner: String?, host: String?, processGroup: Int32?,
        processStart: String?, remaining: Int?
    ) {
        self.state = state
        self.clean = clean
        self.run = run
        self.runner = runner
        self.host = host
        self.processGroup = processGroup
        self.processStart = processStart
        self.remaining = remaining
    }

    /// Whether nobody saw its end.
    package var isUnseen: Bool { state == .running || state == .unknown }

    /// Whether it failed and something of it remains.
    package var hasRemains: Bool { state == .failed && clean == false }
}
