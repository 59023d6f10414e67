/// What declaring an identity done without running it means in one place, from what ledger and receipt say of it.
package enum BaselineDecision: Sendable, Hashable {
    /// There is nothing to declare.
    case done
    /// The receipt says done, the ledger does not know: it follows the receipt.
    case follow
    case declare
    /// It is running, or its last end was not seen, or left something behind.
    case refuse(ExecutionState)

    /// - Parameters:
    ///   - record: the ledger's; nil when it has none.
    ///   - receipt: the tenant's own; nil where there is none, or where the record is the receipt.
    package static func of(_ record: RecordedExecution?, receipt: RecordedExecution?) -> BaselineDecision {
        switch UnseenEnd.of(record, receipt: receipt) {
        case .open(let state): .refuse(state)
        case .settled(let state) where state?.isDone != true: .declare
        case .settled: record?.state.isDone == true ? .done : .follow
        }
    }
}
