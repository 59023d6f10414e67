/// What one statement of a text answered. Rows are counted and dropped; the first is kept.
package struct StatementResult: Sendable {
    /// The command tag: `UPDATE 3`, `COMMIT`, `CREATE TABLE`. Empty in SQLite.
    package var tag: String
    /// Rows inserted, updated, deleted or merged; 0 for everything else, a `SELECT` among it.
    package var rowsAffected: Int
    /// Rows returned.
    package var rowCount: Int
    package var firstRow: DatabaseRow?

    package init(tag: String = "", rowsAffected: Int = 0, rowCount: Int = 0, firstRow: DatabaseRow? = nil) {
        self.tag = tag
        self.rowsAffected = rowsAffected
        self.rowCount = rowCount
        self.firstRow = firstRow
    }
}
