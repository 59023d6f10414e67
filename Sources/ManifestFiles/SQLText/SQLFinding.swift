/// Something in a script that is refused before anything runs.
package struct SQLFinding: Sendable, Hashable {
    /// What kind of thing it is.
    package enum Rule: String, Sendable, CaseIterable {
        /// No statement at all.
        case empty
        /// A string that is not closed.
        case openString = "open_string"
        /// A quoted identifier that is not closed.
        case openIdentifier = "open_identifier"
        /// A `/*` that is not closed.
        case openComment = "open_comment"
        /// A `$tag$` that is not closed.
        case openDollarQuote = "open_dollar_quote"
        /// A `(` that is not closed.
        case openParenthesis = "open_parenthesis"
        /// The body of a function or of a trigger without its END.
        case openBody = "open_body"
        /// A NUL character: neither engine reads past it.
        case nulCharacter = "nul_character"
        /// A command of psql or of the sqlite3 shell.
        case metaCommand = "meta_command"
        /// COPY from or to the client.
        case copyStream = "copy_stream"
        /// BEGIN, COMMIT, ROLLBACK and their like.
        case transactionControl = "transaction_control"
        /// A statement that the engine refuses inside a transaction.
        case outsideTransaction = "outside_transaction"
        /// RESET ALL, DISCARD ALL: they take away what the run itself relies on.
        case sessionReset = "session_reset"
        /// SQLite: ATTACH or DETACH.
        case attachment
        /// SQLite: a PRAGMA of the connection, which a transaction ignores or refuses.
        case connectionPragma = "connection_pragma"
    }

    /// 1-based line in the file.
    package var line: Int
    package var rule: Rule
    /// What was found.
    package var message: String
    /// What to do about it.
    package var remedy: String

    package init(line: Int, rule: Rule, message: String, remedy: String) {
        self.line = line
        self.rule = rule
        self.message = message
        self.remedy = remedy
    }
}
