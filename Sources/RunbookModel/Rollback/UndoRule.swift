/// When a runbook may be undone in one place, by what is on record there.
///
/// Planning asks it of the ledger; every claim asks it again under the lock, of the record that counts there.
package struct UndoRule: Sendable, Hashable {
    /// What the runbook itself is.
    package enum Kind: String, Sendable, CaseIterable {
        case sql
        case batch
        case exec
    }

    package var kind: Kind
    /// Of the body that is undone.
    package var checksum: String
    /// Whether it fits work that was done with another body, too.
    package var acceptsChange: Bool
    /// Of the undo: what its record bears.
    package var recorded: String
    /// Whether the undo may run again although the end of its last attempt was not seen.
    package var isRepeatable: Bool
    /// Whether the undo is a script; what a hook left behind is the hook's business.
    package var isScript: Bool
    /// Whether work that a person declared done is undone as well.
    package var takesBaselined: Bool

    package init(
        kind: Kind, checksum: String, acceptsChange: Bool = false, recorded: String, isRepeatable: Bool = false,
        isScript: Bool = true, takesBaselined: Bool = false
    ) {
        self.kind = kind
        self.checksum = checksum
        self.acceptsChange = acceptsChange
        self.recorded = recorded
        self.isRepeatable = isRepeatable
        self.isScript = isScript
        self.takesBaselined = takesBaselined
    }

    package enum Decision: String, Sendable, CaseIterable {
        case run
        /// There is nothing to undo.
        case nothing
        /// It was done with another body, which the undo may not fit.
        case drifted
        /// No run did it: a person declared it done.
        case declared
        /// Nobody saw how its last attempt ended.
        case unseen
        /// Its last attempt failed and left something behind.
        case leftovers
    }

    package func decision(_ record: RecordedExecution?) -> Decision {
        guard let record else { return .nothing }
        switch record.state {
        case .rolledBack: return .nothing
        case .succeeded, .baselined:
            guard acceptsChange || record.checksum == checksum else { return .drifted }
            return record.state == .baselined && !takesBaselined ? .declared : .run
        case .running, .unknown:
            if record.isOfUndo { return isRepeatable ? .run : .unseen }
            // What its batches committed is known, and is undone.
            return kind == .batch ? .run : .unseen
        case .failed:
            if record.isOfUndo { return record.clean == false && isScript && !isRepeatable ? .leftovers : .run }
            guard record.clean == false else { return .nothing }
            return switch kind {
            case .batch: .run
            case .sql: .leftovers
            case .exec: .nothing
            }
        }
    }
}
