package import DatabaseAccess

/// Why the ledger cannot be used.
package struct LedgerError: Error, Sendable {
    package enum Code: String, Sendable {
        /// There is none yet (only for those who may not create it).
        case missing
        /// It was made by a newer Muster.
        case newer
        /// The database behind it does not answer.
        case unreachable
        /// Somebody else is creating or upgrading it, for too long.
        case busy
        /// The database refused a statement of ours.
        case failed
    }

    package var code: Code
    package var message: String
    package var cause: DatabaseError?

    package init(_ code: Code, _ message: String, cause: DatabaseError? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package init(_ cause: DatabaseError) {
        switch cause.code {
        case .unreachable, .connectionLost, .busy:
            self.init(.unreachable, "The ledger's database does not answer: \(cause)", cause: cause)
        default:
            self.init(.failed, "The ledger's database refused: \(cause)", cause: cause)
        }
    }
}
