import Groundwork

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

    /// PostgreSQL: hosts and ports as they are written, the same for every database there; empty for SQLite.
    package var server: String { (try? PostgresURLParts(revealed))?.server ?? "" }

    /// PostgreSQL: the database that the address names; nil where it names none, and for SQLite.
    package var database: String? { dialect == .postgresql ? (try? PostgresURLParts(revealed))?.databaseName : nil }

    /// The text with every secret of this URL replaced by `****`, as it was written and as it was meant.
    package func masking(_ text: String) -> String {
        guard dialect == .postgresql else { return text }
        // What cannot be read may be a secret anywhere.
        guard let parts = try? PostgresURLParts(revealed) else { return "****" }
        return parts.secrets.reduce(text) { $0.replacingPlaces(of: $1, with: "****") }
    }
}

extension ConnectionURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch dialect {
        case .sqlite: revealed
        case .postgresql: (try? PostgresURLParts(revealed))?.masked ?? "postgres://****"
        }
    }

    package var debugDescription: String { description }

    /// Reflection (`dump`, a failed expectation) sees the masked text alone.
    package var customMirror: Mirror { Mirror(self, children: ["url": description], displayStyle: .struct) }
}
