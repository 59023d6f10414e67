package import RunbookModel

/// A receipt as it stands in the tenant's own database or file.
package struct Receipt: Sendable, Hashable {
    package var identity: Identity
    /// Under whose name it stands.
    package var tenant: String
    package var state: ExecutionState
    /// Of one that failed: whether nothing of it remains.
    package var clean: Bool?
    package var attempt: Int
    package var checksum: String
    package var run: String?
    package var runner: String?
    /// Milliseconds since 1970, by the clock of the database that holds it.
    package var startedAt: Int?
    package var finishedAt: Int?
    package var rowsAffected: Int?

    package init(
        identity: Identity, tenant: String, state: ExecutionState, clean: Bool? = nil, attempt: Int, checksum: String,
        run: String? = nil,
        runner: String? = nil, startedAt: Int? = nil, finishedAt: Int? = nil, rowsAffected: Int? = nil
    ) {
        self.identity = identity
        self.tenant = tenant
        self.state = state
        self.clean = clean
        self.attempt = attempt
        self.checksum = checksum
        self.run = run
        self.runner = runner
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.rowsAffected = rowsAffected
    }

    package var execution: RecordedExecution {
        RecordedExecution(state: state, clean: clean, checksum: checksum, attempt: attempt)
    }
}
