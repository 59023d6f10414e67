import DatabaseAccess

/// The versions of the ledger's schema and the way from each to the next.
package enum LedgerSchema {
    /// What this binary writes.
    package static let version = 1

    /// The DDL that leads from the version before to this one.
    static func upgrade(to version: Int, _ sql: LedgerSQL) -> String {
        switch (version, sql.dialect) {
        case (1, .postgresql): filled(PostgresSchema.version1, sql)
        case (1, .sqlite): SQLiteSchema.version1
        default: ""
        }
    }

    /// What is replaced whole at every upgrade.
    static func functions(_ sql: LedgerSQL) -> String? {
        sql.dialect == .postgresql ? filled(PostgresFunctions.all, sql) : nil
    }

    private static func filled(_ text: String, _ sql: LedgerSQL) -> String {
        // A schema may be called `$muster$`, and would end the functions' bodies.
        var tag = "muster"
        while sql.schema.contains("$\(tag)$") { tag += "_" }
        return text.replacing("$muster$", with: "$\(tag)$").replacing("{s}", with: sql.schema)
    }
}
