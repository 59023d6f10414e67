/// What a person may decide about an execution, from what the ledger and the tenant's receipt say of it.
package enum UnseenEnd: Sendable, Hashable {
    /// Its end was not seen, or it failed and left something behind.
    case open(ExecutionState)
    /// There is nothing to decide.
    case settled(ExecutionState?)

    /// - Parameters:
    ///   - record: the ledger's; nil when it has none.
    ///   - receipt: the state of the tenant's own receipt; nil where there is none, or where the record is the receipt.
    package static func of(_ record: RecordedExecution?, receipt: ExecutionState?) -> UnseenEnd {
        if let receipt, receipt.isDone { return .settled(receipt) }
        if let receipt, receipt == .running || receipt == .unknown { return .open(receipt) }
        guard let record else { return .settled(receipt) }
        switch record.state {
        case .running, .unknown: return .open(record.state)
        case .failed where record.clean == false: return .open(.failed)
        case .failed, .succeeded, .baselined, .rolledBack: return .settled(record.state)
        }
    }
}
