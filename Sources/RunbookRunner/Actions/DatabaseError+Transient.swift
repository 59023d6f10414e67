import DatabaseAccess

extension DatabaseError {
    /// Whether the same work may well succeed a moment later, and nothing of it remains.
    var isTransient: Bool {
        switch code {
        case .busy: true
        case .statement: RetryableState(sqlState) != nil
        default: false
        }
    }
}

/// SQLSTATEs after which a transaction is worth trying again (PostgreSQL manual, appendix A).
enum RetryableState: String {
    case serializationFailure = "40001"
    case deadlockDetected = "40P01"
    case lockNotAvailable = "55P03"
    case tooManyConnections = "53300"
    case cannotConnectNow = "57P03"

    init?(_ sqlState: String?) {
        guard let sqlState else { return nil }
        self.init(rawValue: sqlState)
    }
}
