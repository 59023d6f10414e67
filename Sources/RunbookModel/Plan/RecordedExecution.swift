/// What the ledger holds of one identity in one tenant.
package struct RecordedExecution: Sendable, Hashable {
    package var state: ExecutionState
    /// For `failed`: whether nothing of it remains.
    package var clean: Bool?
    package var checksum: String
    package var attempt: Int

    package init(state: ExecutionState, clean: Bool? = nil, checksum: String, attempt: Int = 1) {
        self.state = state
        self.clean = clean
        self.checksum = checksum
        self.attempt = attempt
    }
}
