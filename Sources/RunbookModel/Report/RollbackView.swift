/// What `muster rollback` would do: encodes as `muster.rollback_plan/1`.
package struct RollbackView: Sendable, Codable {
    package var schema = "muster.rollback_plan/1"
    package var command = "rollback"
    package var ok = true
    package var exitCode = 0
    package var workspace: String
    package var digest: String
    /// The run that is taken back; null when runbooks were named.
    package var undoes: String?
    /// Tenants in scope.
    package var tenantCount = 0
    /// Tenants in which something is to be undone.
    package var tenants = 0
    /// In the order in which they are undone.
    package var runbooks: [Undo] = []
    package var notices: [String] = []
    /// Why nothing would be undone; null otherwise.
    package var error: ReportError?

    package init(workspace: String, digest: String) {
        self.workspace = workspace
        self.digest = digest
    }

    package struct Undo: Sendable, Codable {
        package var id: String
        package var key: String
        package var scope: RunbookScope
        /// Of the undo: `sql` or `exec`.
        package var kind: String
        package var transaction: Bool
        /// The undo's script, or its program.
        package var file: String
        /// In how many tenants (1 for what runs once) it is to be undone.
        package var count: Int
        /// In how many a person must decide first.
        package var unknown: Int

        package init(
            id: String, key: String, scope: RunbookScope, kind: String, transaction: Bool, file: String, count: Int,
            unknown: Int
        ) {
            self.id = id
            self.key = key
            self.scope = scope
            self.kind = kind
            self.transaction = transaction
            self.file = file
            self.count = count
            self.unknown = unknown
        }
    }

    package var hasWork: Bool { runbooks.contains { $0.count > 0 } }
}
