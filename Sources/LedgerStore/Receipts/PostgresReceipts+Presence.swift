package import DatabaseAccess

extension PostgresReceipts {
    /// What is there of a table of receipts in a database.
    package struct Presence: Sendable {
        package var table: Bool
        package var schema: Bool

        package init(table: Bool, schema: Bool) {
            self.table = table
            self.schema = schema
        }

        /// Two columns of a query that have the answer, and its parameters from `$1` on.
        package static func question(_ sql: LedgerSQL) -> (columns: String, parameters: [DatabaseValue]) {
            let columns = """
                pg_catalog.to_regclass($1) IS NOT NULL AS has_table, \
                pg_catalog.to_regnamespace($2) IS NOT NULL AS has_schema
                """
            return (columns, [.text(sql.name("receipts")), .text(sql.schema)])
        }

        static func of(_ session: any DatabaseSession, _ sql: LedgerSQL) throws(DatabaseError) -> Presence {
            let question = question(sql)
            let row = try session.row("SELECT \(question.columns)", question.parameters)
            return Presence(table: row?[0].boolean == true, schema: row?[1].boolean == true)
        }
    }
}
