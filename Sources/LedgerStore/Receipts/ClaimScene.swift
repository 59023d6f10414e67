import DatabaseAccess

/// What a script finds set when it begins, and where it must find itself.
package struct ClaimScene: Sendable {
    /// Names and values for the transaction, in their order; without `search_path`.
    package var settings: [(name: String, value: String)]
    /// The first schema of the path; nil when the path is the session's own.
    package var target: String?
    /// As `search_path` takes it.
    package var path: String?

    package init(settings: [(name: String, value: String)], target: String?, path: String?) {
        self.settings = settings
        self.target = target
        self.path = path
    }

    /// The last three of the ledger's `claim`.
    var arguments: String {
        get throws(DatabaseError) {
            let pairs = LedgerList.array(settings.flatMap { [$0.name, $0.value] })
            return "\(try PostgresText.quoteLiteral(pairs)), \(try text(target)), \(try text(path))"
        }
    }

    private func text(_ value: String?) throws(DatabaseError) -> String {
        try value.map { value throws(DatabaseError) in try PostgresText.quoteLiteral(value) } ?? "NULL"
    }
}
