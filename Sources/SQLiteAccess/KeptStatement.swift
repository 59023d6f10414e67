internal import DatabaseAccess

/// A prepared statement that is used again and again by its session.
final class KeptStatement {
    let text: SQLiteText
    private let statement: SQLiteStatement
    /// A row of it is being looked at: the same text asked meanwhile needs a statement of its own.
    private(set) var isUnderWay = false

    init(_ statement: consuming SQLiteStatement, _ text: SQLiteText) {
        self.statement = statement
        self.text = text
    }

    /// Lends the statement, and ends it afterwards: one that is not reset keeps its lock on the file.
    func use<Answer>(
        _ body: (borrowing SQLiteStatement) throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        isUnderWay = true
        defer {
            statement.reset()
            isUnderWay = false
        }
        return try body(statement)
    }
}
