package import RunbookModel

/// A change to one record of the ledger that a person asked for.
package struct RecordChange: Sendable, Hashable {
    package var identity: Identity
    /// As it was seen: if it is another by now, nothing is written. nil: there was none.
    package var seen: RecordedExecution?
    package var state: ExecutionState
    package var clean: Bool?
    package var checksum: String
    /// What stands with it afterwards, for people.
    package var message: String?
    /// The receipt that it follows: its times, attempt and run are taken over.
    package var receipt: Receipt?

    package init(
        _ identity: Identity, seen: RecordedExecution?, state: ExecutionState, clean: Bool? = nil, checksum: String,
        message: String? = nil, receipt: Receipt? = nil
    ) {
        self.identity = identity
        self.seen = seen
        self.state = state
        self.clean = clean
        self.checksum = checksum
        self.message = message
        self.receipt = receipt
    }
}

/// Who changed records, and why: it goes into `events`.
package struct AuditNote: Sendable, Hashable {
    /// `resolve_applied`, `repair_adopt`, …
    package var kind: String
    package var actor: String
    package var reason: String

    package init(kind: String, actor: String, reason: String) {
        self.kind = kind
        self.actor = actor
        self.reason = reason
    }
}
