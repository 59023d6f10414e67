private import CSQLite
internal import DatabaseAccess

extension DatabaseError {
    /// An extended result code and the connection's message as an error.
    init(sqlite code: Int32, _ message: String) {
        self.init(Self.code(for: code), message, engineCode: Int(code))
        if self.code == .refused, Self.needsRecovery(code) { self.message = Self.recovery }
    }

    /// https://www.sqlite.org/rescode.html
    private static func code(for result: Int32) -> Code {
        if needsRecovery(result) { return .refused }
        return switch result & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged
        case SQLITE_INTERRUPT: .interrupted
        case SQLITE_CANTOPEN: .unreachable
        // The end of the statement, a COMMIT among them, was not seen.
        case SQLITE_IOERR: .connectionLost
        case SQLITE_READONLY, SQLITE_PERM: .rejected
        case SQLITE_AUTH: .refused
        case SQLITE_MISUSE, SQLITE_RANGE: .misuse
        default: .statement
        }
    }

    /// SQLITE_READONLY_RECOVERY, _ROLLBACK and _CANTINIT: reading alone cannot bring the file into a readable state.
    private static func needsRecovery(_ result: Int32) -> Bool {
        result & 0xFF == SQLITE_READONLY && [1, 3, 5].contains(result >> 8)
    }

    static let recovery =
        "the file needs recovery after a crash and is only read here; open it once with the program that owns it "
        + "(or with `sqlite3 FILE 'select 1'`), then try again"
}
