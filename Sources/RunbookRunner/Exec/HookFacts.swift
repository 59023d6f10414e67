package import DatabaseAccess
package import RunbookModel

/// What a hook is told about the execution it is started for.
package struct HookFacts: Sendable {
    package var runID: String
    package var workspace: String
    package var identity: Identity
    /// nil for a runbook of workspace scope.
    package var tenant: String?
    /// PostgreSQL: the tenant's schema.
    package var schema: String?
    /// The tenant's database, or the runbook's when it has workspace scope.
    package var url: ConnectionURL
    package var attempt: Int
    package var phase: String
    package var isDryRun: Bool
    /// Whether it is started to undo.
    package var isRollback = false

    package init(
        runID: String, workspace: String, identity: Identity, tenant: String?, schema: String? = nil,
        url: ConnectionURL, attempt: Int, phase: String, isDryRun: Bool = false
    ) {
        self.runID = runID
        self.workspace = workspace
        self.identity = identity
        self.tenant = tenant
        self.schema = schema
        self.url = url
        self.attempt = attempt
        self.phase = phase
        self.isDryRun = isDryRun
    }

    /// The same for every attempt of one identity in one tenant, and for nothing else: `default/acme/announce@1`. The
    /// tenant's place is empty for workspace scope. To undo is another act: `default/acme/announce@1/rollback`.
    package var idempotencyKey: String {
        "\(workspace)/\(tenant ?? "")/\(identity)" + (isRollback ? "/rollback" : "")
    }
}
