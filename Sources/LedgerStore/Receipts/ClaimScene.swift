import DatabaseAccess

/// What a script finds set when it begins, and where it must find itself.
package struct ClaimScene: Sendable {
    /// `statement_timeout` and `lock_timeout`.
    package var limits: (statement: String, lock: String)
    /// More names and values for the transaction, in their order; without `search_path`.
    package var settings: [(name: String, value: String)]
    /// The first schema of the path; nil when the path is the session's own.
    package var target: String?
    /// As `search_path` takes it.
    package var path: String?

    package init(
        limits: (statement: String, lock: String), settings: [(name: String, value: String)], target: String?,
        path: String?
    ) {
        self.limits = limits
        self.settings = settings
        self.target = target
        self.path = path
    }

    /// The last five of the ledger's `claim`.
    var arguments: String {
        get throws(DatabaseError) {
            let pairs = settings.isEmpty ? nil : LedgerList.array(settings.flatMap { [$0.name, $0.value] })
            return """
                \(try text(limits.statement)), \(try text(limits.lock)), \(try text(pairs)), \(try text(target)), \
                \(try text(path))
                """
        }
    }

    private func text(_ value: String?) throws(DatabaseError) -> String {
        try value.map { value throws(DatabaseError) in try PostgresText.quoteLiteral(value) } ?? "NULL"
    }
}
