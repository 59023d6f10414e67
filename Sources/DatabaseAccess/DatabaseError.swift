/// A failure that a driver met, with what the engine said about it. It never holds a secret.
package struct DatabaseError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable {
        /// No connection could be made: server down, wrong address, refused, missing file, out of descriptors.
        case unreachable
        /// The server or the file refused who we are (SQLSTATE class 28, or a database that does not exist).
        case rejected
        /// The connection was lost while a statement was under way: its end was not seen.
        case connectionLost
        /// The engine refused or failed the statement; `sqlState` or `engineCode` says how.
        case statement
        /// The statement was interrupted by us.
        case interrupted
        /// SQLite: somebody else holds the file's lock (SQLITE_BUSY, SQLITE_LOCKED).
        case busy
        /// The driver refused it: several statements where one is allowed, a forbidden action, COPY.
        case refused
        /// The file is damaged or no database (SQLITE_CORRUPT, SQLITE_NOTADB).
        case damaged
        /// A call that the contract does not allow; an error in Muster.
        case misuse
    }

    package var code: Code
    /// The engine's own first line, without a trailing newline.
    package var message: String
    /// Five characters; nil for SQLite and for failures without a server's answer.
    package var sqlState: String?
    /// SQLite's extended result code; nil for PostgreSQL.
    package var engineCode: Int?
    package var detail: String?
    package var hint: String?
    /// PostgreSQL's CONTEXT, as is.
    package var context: String?
    /// 1-based position inside the text that was sent, in Unicode scalars; nil when the engine gave none.
    package var position: Int?
    /// How many statements of the text had answered before this one failed. Empty statements do not count.
    package var resultsBefore: Int
    package var constraint: String?
    package var table: String?

    package init(
        _ code: Code, _ message: String, sqlState: String? = nil, engineCode: Int? = nil, detail: String? = nil,
        hint: String? = nil, context: String? = nil, position: Int? = nil, resultsBefore: Int = 0,
        constraint: String? = nil, table: String? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.engineCode = engineCode
        self.detail = detail
        self.hint = hint
        self.context = context
        self.position = position
        self.resultsBefore = resultsBefore
        self.constraint = constraint
        self.table = table
    }
}

extension DatabaseError: CustomStringConvertible {
    package var description: String {
        let state = sqlState.map { " (SQLSTATE \($0))" } ?? engineCode.map { " (SQLite code \($0))" } ?? ""
        return message + state
    }
}
