/// A manifest that has been read, expanded and found valid. Runbooks stand in the order of their execution.
package struct Manifest: Sendable {
    package var workspace: String
    package var ledger: LedgerSettings
    package var tenants: TenantSettings
    package var concurrency: Concurrency
    package var rollout: Rollout
    /// The named moments of a deploy, in order.
    package var phases: [String]
    package var runbooks: [Runbook]
    package var hooks: RunHooks
    /// Whether a tenant's runbooks of one stage are one transaction: all or nothing.
    package var fuse: Bool
    /// What the ledger keeps of the file it came from.
    package var source: ManifestSource

    package init(
        workspace: String, ledger: LedgerSettings, tenants: TenantSettings, concurrency: Concurrency,
        rollout: Rollout = Rollout(), phases: [String], runbooks: [Runbook], hooks: RunHooks = RunHooks(),
        fuse: Bool = false, source: ManifestSource
    ) {
        self.workspace = workspace
        self.ledger = ledger
        self.tenants = tenants
        self.concurrency = concurrency
        self.rollout = rollout
        self.phases = phases
        self.runbooks = runbooks
        self.hooks = hooks
        self.fuse = fuse
        self.source = source
    }
}

/// The file behind a manifest, before `${…}` was expanded.
package struct ManifestSource: Sendable {
    /// As the user named it.
    package var path: String
    /// The folder that relative paths start from, absolute.
    package var folder: String
    /// The text before expansion: what the ledger stores.
    package var text: String
    /// `sha256:<hex>` over the unexpanded text and the checksum of every referenced file.
    package var digest: String
    /// Values that came from the environment and are not whole numbers; masked in every output.
    package var secrets: [Redacted]

    package init(path: String, folder: String, text: String, digest: String, secrets: [Redacted]) {
        self.path = path
        self.folder = folder
        self.text = text
        self.digest = digest
        self.secrets = secrets
    }
}

/// Where the ledger is.
package struct LedgerSettings: Sendable {
    package var url: Redacted
    package var directURL: Redacted?
    /// PostgreSQL: the schema that holds the ledger.
    package var schema: String
    package var retention: Duration
    /// nil: found out by looking; `session` or `transaction`: said by the user.
    package var pooler: PoolerMode?

    package init(
        url: Redacted, directURL: Redacted? = nil, schema: String = "muster",
        retention: Duration = .seconds(90 * 86400),
        pooler: PoolerMode? = nil
    ) {
        self.url = url
        self.directURL = directURL
        self.schema = schema
        self.retention = retention
        self.pooler = pooler
    }
}

/// How a pooler between us and the server shares its connections.
package enum PoolerMode: String, Sendable, Codable, CaseIterable {
    case session
    case transaction
}

/// How much may be under way at once.
package struct Concurrency: Sendable, Hashable {
    /// Tenants worked on at once by one runner.
    package var tenants: Int
    /// Connections per database server, over all runners of a run.
    package var perServer: Int

    package init(tenants: Int = 8, perServer: Int = 16) {
        self.tenants = tenants
        self.perServer = perServer
    }
}
