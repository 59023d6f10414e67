/// What takes a runbook's work back: a script or a hook that its manifest declares beside it.
package struct RunbookUndo: Sendable {
    /// `sql` or `exec`, whatever the runbook itself is.
    package var action: RunbookAction
    package var transaction: Bool
    /// Whether it may run again although the end of its last attempt was not seen.
    package var repeatable: Bool
    /// Over the action; it says of what it stands in that it is an undo's.
    package var checksum: String

    /// - Parameter checksum: `sha256:<hex>` over the action.
    package init(action: RunbookAction, transaction: Bool = true, repeatable: Bool = false, checksum: String) {
        self.action = action
        let isSQL = if case .sql = action { true } else { false }
        self.transaction = transaction && isSQL
        self.repeatable = repeatable
        self.checksum = Self.mark + checksum
    }

    /// What the checksums of undos begin with, so that every record of one tells what it is of.
    package static let mark = "undo:"
}

extension RecordedExecution {
    /// Whether the last thing on record was an attempt at undoing.
    package var isOfUndo: Bool { checksum.hasPrefix(RunbookUndo.mark) }
}
