private import CSQLite

/// One action that SQLite asks its authorizer about (sqlite3_set_authorizer), and what Muster answers.
struct SQLiteAction: Hashable {
    /// SQLITE_SELECT, SQLITE_PRAGMA, ….
    var code: Int32
    /// The first argument: a pragma's name, a file, `BEGIN`.
    var subject: String?
    /// The second argument: a pragma's value, a savepoint's name.
    var value: String?

    /// Why an action is not allowed, and what to do instead.
    struct Denial: Hashable {
        var reason: String
        var remedy: String
    }

    /// Who issues the statement.
    enum Origin: Hashable {
        /// Muster itself: everything is allowed.
        case own
        /// Anybody, through a session that must not write.
        case reading
        /// A script inside Muster's transaction.
        case transactionalScript
        /// A script with `transaction: false`.
        case freeScript

        var isScript: Bool { self == .transactionalScript || self == .freeScript }
    }

    /// Whether a script may be denied an action of this kind at all, so that its words must be read.
    static func isLimited(_ code: Int32) -> Bool {
        [SQLITE_TRANSACTION, SQLITE_SAVEPOINT, SQLITE_PRAGMA, SQLITE_ATTACH, SQLITE_DETACH].contains(code)
    }

    /// Whether an action may change the schema. More than do: whoever asks looks at the schema then.
    static func mayDefine(_ code: Int32, isOwnTable: Bool) -> Bool {
        switch code {
        case SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_RECURSIVE: false
        case SQLITE_TRANSACTION, SQLITE_SAVEPOINT, SQLITE_PRAGMA, SQLITE_ATTACH, SQLITE_DETACH: false
        case SQLITE_INSERT, SQLITE_UPDATE, SQLITE_DELETE: isOwnTable
        default: true
        }
    }

    /// nil when the action may go on.
    func denial(for origin: Origin) -> Denial? {
        switch origin {
        case .own: nil
        case .reading: denialWhileReading
        case .transactionalScript: denialInTransaction
        case .freeScript: denialOutsideTransaction
        }
    }

    private var denialWhileReading: Denial? {
        let allowed: Bool
        switch code {
        case SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_RECURSIVE, SQLITE_TRANSACTION:
            // `BEGIN IMMEDIATE` passes here and is refused by query_only.
            allowed = true
        case SQLITE_UPDATE:
            // Asked when a table-valued function or a virtual table declares its columns. A real update of the schema
            // table needs PRAGMA writable_schema.
            allowed = subject == "sqlite_master"
        case SQLITE_PRAGMA:
            allowed = value == nil ? !Self.workingPragmas.contains(pragma) : Self.readingPragmas.contains(pragma)
        default:
            allowed = false
        }
        guard !allowed else { return nil }
        return Denial(reason: "\(name) is not allowed here: nothing may be written", remedy: "ask with a SELECT")
    }

    private var denialInTransaction: Denial? {
        switch code {
        case SQLITE_TRANSACTION:
            return Denial(
                reason: "\(name) is not allowed: the script runs inside Muster's transaction",
                remedy: "remove it, or declare the runbook with transaction: false")
        case SQLITE_PRAGMA where value != nil && pragma == "foreign_keys":
            return Denial(
                reason: "\(name) does nothing inside a transaction",
                remedy: "remove it: scripts run with foreign keys off and are checked before the commit; "
                    + "foreign_keys: true on the runbook turns enforcement on")
        case SQLITE_PRAGMA where value != nil && !Self.scriptPragmas.contains(pragma) || pragma == "wal_checkpoint":
            return Denial(
                reason:
                    "\(name) is not allowed in a transactional script: it concerns the connection or the whole file",
                remedy: "remove it, or move it to a runbook with transaction: false")
        default:
            return denialOfOtherFiles
        }
    }

    private var denialOutsideTransaction: Denial? {
        // VACUUM attaches a temporary database with an empty name while it runs.
        code == SQLITE_ATTACH && subject?.isEmpty ?? false ? nil : denialOfOtherFiles
    }

    private var denialOfOtherFiles: Denial? {
        switch code {
        case SQLITE_ATTACH, SQLITE_DETACH:
            Denial(
                reason: "\(name) is not allowed: a tenant's script must not reach another file",
                remedy: "remove it; use an exec runbook for work on several files")
        default: nil
        }
    }

    private var pragma: String { subject?.lowercased() ?? "" }

    /// The action as a person would write it.
    private var name: String {
        switch code {
        case SQLITE_TRANSACTION: subject ?? "transaction control"
        case SQLITE_PRAGMA: "PRAGMA \(subject ?? "")"
        case SQLITE_ATTACH: "ATTACH (or VACUUM INTO)"
        case SQLITE_DETACH: "DETACH"
        case SQLITE_INSERT: "writing to \(subject ?? "a table")"
        case SQLITE_UPDATE: "updating \(subject ?? "a table")"
        case SQLITE_DELETE: "deleting from \(subject ?? "a table")"
        case SQLITE_SAVEPOINT: "SAVEPOINT"
        case SQLITE_ANALYZE: "ANALYZE"
        case SQLITE_REINDEX: "REINDEX"
        default: "changing the schema"
        }
    }

    /// Pragmas that answer a question about the name they are given.
    private static let readingPragmas: Set<String> = [
        "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo", "integrity_check",
        "quick_check", "table_info", "table_list", "table_xinfo",
    ]

    /// Pragmas with a value that belong to the schema or end with the transaction.
    private static let scriptPragmas = readingPragmas.union([
        "application_id", "defer_foreign_keys", "incremental_vacuum", "optimize", "user_version",
    ])

    /// Pragmas that do something without a value.
    private static let workingPragmas: Set<String> = ["incremental_vacuum", "optimize", "wal_checkpoint"]
}
