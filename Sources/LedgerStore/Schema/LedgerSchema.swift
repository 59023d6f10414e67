import DatabaseAccess

/// The versions of the ledger's schema and the way from each to the next.
package enum LedgerSchema {
    /// The DDL of one step.
    package typealias Upgrade = @Sendable (LedgerSQL) -> String

    /// The way from nothing to what this binary writes: each step leads from the version before to the next. Steps are
    /// only ever added.
    package static let upgrades: [Upgrade] = [
        { sql in sql.dialect == .postgresql ? filled(PostgresSchema.version1, sql) : SQLiteSchema.version1 },
        { sql in sql.dialect == .postgresql ? filled(PostgresSchema.version2, sql) : SQLiteSchema.version2 },
        { sql in sql.dialect == .postgresql ? filled(PostgresSchema.version3, sql) : "" },
        { sql in filled(BatchSchema.version4, sql).replacing("{executions}", with: sql.name("executions")) },
        { sql in sql.dialect == .postgresql ? filled(PostgresSchema.rollout, sql) : SQLiteSchema.rollout },
        { sql in RollbackSchema.columns.replacing("{runs}", with: sql.runs) },
        { sql in sql.dialect == .postgresql ? filled(PostgresSchema.hooks, sql) : SQLiteSchema.hooks },
        { sql in sql.dialect == .postgresql ? filled(PostgresSchema.version8, sql) : "" },
        // Version 9: functions for the stages that are one transaction, which are made with all the others.
        { _ in "" },
        // Version 10: functions for stages that keep their tenant's lock.
        { _ in "" },
        { sql in sql.dialect == .postgresql ? filled(PostgresSchema.version11, sql) : "" },
        // Version 12: functions that ask less.
        { _ in "" },
        // Version 13: functions whose plans last from tenant to tenant.
        { _ in "" },
    ]

    /// What this binary writes.
    package static var version: Int { upgrades.count }

    /// What is replaced whole at every upgrade.
    static func functions(_ sql: LedgerSQL) -> String? {
        sql.dialect == .postgresql
            ? filled(PostgresFunctions.all + PostgresFunctions.recordBatch + PostgresFunctions.undo, sql) : nil
    }

    private static func filled(_ text: String, _ sql: LedgerSQL) -> String {
        // A schema may be called `$muster$`, and would end the functions' bodies.
        var tag = "muster"
        while sql.schema.contains("$\(tag)$") { tag += "_" }
        return text.replacing("$muster$", with: "$\(tag)$").replacing("{s}", with: sql.schema)
    }
}
