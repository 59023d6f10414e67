extension SQLRules {
    var sqliteObjection: Objection? {
        switch head.word(0) {
        case "VACUUM": return outsideTransaction("VACUUM")
        case "ATTACH", "DETACH":
            return (
                .attachment, "\(head.word(0) ?? "") reaches for a file that is not the tenant's",
                "remove it: a script works on its tenant's own file"
            )
        case "PRAGMA": return connectionPragma
        default: return nil
        }
    }

    /// In a transaction `foreign_keys` and `journal_mode` do nothing, without an error; others outlive the script
    /// (sqlite.org/pragma.html).
    private var connectionPragma: Objection? {
        guard transactional else { return nil }
        let isQualified = head.elements.count > 2 && head.elements[2] == .other(UInt8(ascii: "."))
        guard let name = head.word(isQualified ? 3 : 1)?.lowercased(), Self.connectionPragmas.contains(name) else {
            return nil
        }
        let remedy =
            name == "foreign_keys"
            ? "remove it: foreign keys are off while a script runs and checked before it commits; `foreign_keys: true` turns them on"
            : "remove it, or move it to a runbook of its own with `transaction: false`"
        return (
            .connectionPragma, "PRAGMA \(name) belongs to the connection and does not work inside a transaction", remedy
        )
    }

    private static let connectionPragmas: Set<String> = [
        "busy_timeout", "foreign_keys", "journal_mode", "locking_mode", "query_only", "synchronous", "writable_schema",
    ]
}
