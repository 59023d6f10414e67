import DatabaseAccess

/// What the results of one message add up to; they go in one by one.
struct MessageReader {
    /// The first failure; nothing that comes later replaces it.
    private(set) var failure: DatabaseError?
    /// Statements that have answered. Empty ones do not count.
    private(set) var count = 0
    private var statement = StatementResult()
    private var shape: RowShape?

    /// Takes a row in. It is decoded when `isWanted`, or when it is the first.
    mutating func takeRow(_ result: borrowing PostgresResult, isWanted: Bool) -> DatabaseRow? {
        statement.rowCount += 1
        guard isWanted || statement.rowCount == 1 else { return nil }
        let shape = shape ?? result.shape
        self.shape = shape
        let row = shape.row(of: result)
        if statement.rowCount == 1 { statement.firstRow = row }
        return row
    }

    /// Ends a statement.
    mutating func takeEnd(_ result: borrowing PostgresResult) -> (index: Int, result: StatementResult) {
        var ended = statement
        ended.tag = result.tag
        ended.rowsAffected = Self.rowsAffected(tag: ended.tag)
        defer {
            statement = StatementResult()
            shape = nil
            count += 1
        }
        return (count, ended)
    }

    mutating func takeFailure(_ error: DatabaseError) {
        failure = failure ?? error
    }

    /// The count behind the tags that name changed rows: `INSERT 0 5`, `UPDATE 3`, `COPY 7` (PostgreSQL manual, 55.7,
    /// CommandComplete). `SELECT 5` is a result, or the table it made.
    static func rowsAffected(tag: String) -> Int {
        let command: String
        switch tag.utf8.first {
        case UInt8(ascii: "I"): command = "INSERT "
        case UInt8(ascii: "U"): command = "UPDATE "
        case UInt8(ascii: "D"): command = "DELETE "
        case UInt8(ascii: "M"): command = "MERGE "
        case UInt8(ascii: "C"): command = "COPY "
        default: return 0
        }
        guard tag.hasPrefix(command), let count = tag.utf8.lastIndex(of: UInt8(ascii: " ")) else { return 0 }
        return Int(tag[tag.utf8.index(after: count)...]) ?? 0
    }
}
