import DatabaseAccess
import RunbookModel

/// Reads what a batch's statement returned, row by row.
///
/// PostgreSQL: one row with the columns `cursor` and `rows`, or none. SQLite has no WITH that changes data: there a
/// statement may return one row with `cursor` for each row it touched, and the greatest is the next cursor.
struct BatchReading {
    let dialect: DatabaseDialect
    private var count = 0
    private var first: DatabaseRow?
    private var greatest: DatabaseValue = .null
    private var isMixed = false

    init(dialect: DatabaseDialect) { self.dialect = dialect }

    mutating func take(_ row: DatabaseRow) {
        count += 1
        if first == nil { first = row }
        guard dialect == .sqlite, row["rows"] == nil, let cursor = row["cursor"] else { return }
        switch SQLiteOrder.isGreater(cursor, than: greatest) {
        case true?: greatest = cursor
        case false?: break
        case nil: isMixed = true
        }
    }

    /// - Throws: why it cannot be read.
    func answer(_ result: StatementResult) throws(DatabaseError) -> (answer: BatchAnswer, rows: Int) {
        guard let first else {
            return result.rowsAffected == 0
                ? (.finished, 0) : (.moved(rows: result.rowsAffected, cursor: nil), result.rowsAffected)
        }
        guard let cursor = first["cursor"] else {
            throw unreadable("the columns \(first.columns.joined(separator: ", "))")
        }
        if let rows = first["rows"] {
            guard count == 1 else { throw unreadable("\(count) rows") }
            guard let number = rows.integer, number >= 0 else { throw unreadable("\(rows.text ?? "null") as rows") }
            guard number > 0, let text = try text(cursor) else { return (.finished, number) }
            return (.moved(rows: number, cursor: text), number)
        }
        guard dialect == .sqlite else { throw unreadable("no column rows") }
        guard !isMixed else { throw unreadable("cursors of which none is the greatest") }
        guard let text = try text(greatest) else { return (.finished, count) }
        return (.moved(rows: count, cursor: text), count)
    }

    /// The cursor as it is kept. In SQLite as a literal, so that the next batch gets a value of the same type.
    private func text(_ value: DatabaseValue) throws(DatabaseError) -> String? {
        switch dialect {
        case .postgresql:
            if case .blob = value { throw unreadable("a cursor of bytes; encode it as text") }
            return value.text
        case .sqlite: return SQLiteOrder.literal(value)
        }
    }

    private func unreadable(_ found: String) -> DatabaseError {
        let wanted =
            dialect == .postgresql
            ? "one row with the columns cursor and rows, or nothing"
            : "one row with the columns cursor and rows, or rows with the column cursor, or nothing"
        return DatabaseError(.refused, "a batch answers \(wanted); this one answers \(found)")
    }
}
