package import DatabaseAccess

/// Why the ledger cannot be used.
package struct LedgerError: Error, Sendable {
    package enum Code: String, Sendable {
        /// There is none yet (only for those who may not create it).
        case missing
        /// It was made by a newer Muster.
        case newer
        /// It was made by an older Muster, and must be upgraded (only for those who may not do that).
        case older
        /// The database behind it does not answer, or its disk is full.
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
        let hint = cause.hint.map { ". \($0)" } ?? ""
        switch cause.code {
        case .unreachable, .connectionLost, .busy:
            self.init(.unreachable, "The ledger's database does not answer: \(cause)\(hint)", cause: cause)
        case _ where cause.isOutOfSpace:
            self.init(.unreachable, "The ledger's database cannot grow: \(cause)\(hint)", cause: cause)
        default:
            self.init(.failed, "The ledger's database refused: \(cause)\(hint)", cause: cause)
        }
    }
}

extension DatabaseError {
    /// SQLITE_FULL, or disk_full of PostgreSQL: the same work succeeds once somebody has made room.
    fileprivate var isOutOfSpace: Bool { engineCode.map { $0 & 0xFF } == 13 || sqlState == "53100" }
}
