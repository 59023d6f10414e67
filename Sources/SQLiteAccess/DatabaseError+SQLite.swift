private import CSQLite
internal import DatabaseAccess

extension DatabaseError {
    /// An extended result code and the connection's message as an error.
    init(sqlite code: Int32, _ message: String) {
        self.init(Self.code(for: code), message, engineCode: Int(code), hint: Self.remedy(for: code))
        if self.code == .refused, Self.needsRecovery(code) { self.message = Self.recovery }
        if code == Self.fileHasMoved { self.message = "the file was moved, replaced or deleted while it was open" }
    }

    /// What a person has to do about the file; nil when nothing, or when it is the statement's fault.
    private static func remedy(for result: Int32) -> String? {
        let remedy: String? =
            switch result & 0xFF {
            case _ where needsRecovery(result): nil
            case SQLITE_READONLY where result == fileHasMoved: "Look what stands at its path"
            case SQLITE_READONLY, SQLITE_PERM: "Let this user write the file and the folder that it is in"
            case SQLITE_CORRUPT, SQLITE_NOTADB: "Put the file back from a backup"
            case SQLITE_FULL: "Make room on its disk"
            case SQLITE_IOERR: "Look at its disk and at the system's log"
            default: nil
            }
        return remedy.map { $0 + ", then run the same command again." }
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

    /// SQLITE_READONLY_DBMOVED.
    private static let fileHasMoved = SQLITE_READONLY | (4 << 8)

    /// SQLITE_READONLY_RECOVERY, _ROLLBACK and _CANTINIT: reading alone cannot bring the file into a readable state.
    private static func needsRecovery(_ result: Int32) -> Bool {
        result & 0xFF == SQLITE_READONLY && [1, 3, 5].contains(result >> 8)
    }

    static let recovery =
        "the file needs recovery after a crash and is only read here; open it once with the program that owns it "
        + "(or with `sqlite3 FILE 'select 1'`), then try again"
}
