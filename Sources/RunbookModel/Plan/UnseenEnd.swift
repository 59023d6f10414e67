/// What a person may decide about an execution, from what the ledger and the tenant's receipt say of it.
package enum UnseenEnd: Sendable, Hashable {
    /// Its end was not seen, or it failed and left something behind.
    case open(ExecutionState)
    /// There is nothing to decide.
    case settled(ExecutionState?)

    /// - Parameters:
    ///   - record: the ledger's; nil when it has none.
    ///   - receipt: the tenant's own; nil where there is none, or where the record is the receipt.
    package static func of(_ record: RecordedExecution?, receipt: RecordedExecution?) -> UnseenEnd {
        if let receipt, receipt.state.isDone || receipt.isOpen { return end(receipt) }
        guard let record else { return .settled(receipt?.state) }
        return end(record)
    }

    private static func end(_ execution: RecordedExecution) -> UnseenEnd {
        execution.isOpen ? .open(execution.state) : .settled(execution.state)
    }
}

extension RecordedExecution {
    fileprivate var isOpen: Bool {
        switch state {
        case .running, .unknown: true
        case .failed: clean == false
        case .succeeded, .baselined, .rolledBack: false
        }
    }
}
