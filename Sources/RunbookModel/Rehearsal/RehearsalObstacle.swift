/// Why a tenant was not rehearsed, or not to the end.
package enum RehearsalObstacle: String, Sendable, Codable, CaseIterable {
    /// The tenant's lock, or one inside its database, is held by somebody else.
    case busy
    case unreachable
    /// It held its locks as long as it may.
    case maxHold = "max_hold"
    /// It was asked to stop.
    case stopped
    /// A script ended the transaction it ran in: what it did before may remain.
    case leftTransaction = "left_transaction"
}

extension RehearsalObstacle {
    package var words: String {
        switch self {
        case .busy: "somebody else holds a lock"
        case .unreachable: "there is no connection"
        case .maxHold: "it held its locks for --max-hold"
        case .stopped: "it was stopped"
        case .leftTransaction: "a script ended the transaction, and what it did may remain"
        }
    }
}
