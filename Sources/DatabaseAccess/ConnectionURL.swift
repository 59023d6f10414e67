/// Where a database is. It prints masked; only a driver asks for the text itself.
package struct ConnectionURL: Sendable, Hashable {
    package let dialect: DatabaseDialect
    /// The URL as given, password and all: for libpq, or for the environment of a hook.
    package let revealed: String
    /// SQLite: the file's path, percent-decoded; nil for PostgreSQL.
    package let path: String?

    package init(dialect: DatabaseDialect, revealed: String, path: String?) {
        self.dialect = dialect
        self.revealed = revealed
        self.path = path
    }
}
