package import FoundationEssentials

/// What the ledger knows, per runbook and per tenant. Encodes as `muster.status/1`.
package struct StatusReport: Sendable, Codable {
    package var schema = "muster.status/1"
    package var command = "status"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    package var ledgerExists: Bool
    package var asOf: Date?
    /// Tenants in scope: from the manifest's source, or as last seen when there is no manifest.
    package var tenantCount: Int
    package var runbooks: [RunbookStatus]
    /// Every tenant in scope, in order.
    package var tenants: [TenantStatus]
    /// The run under way, if there is one; else the last.
    package var run: RunRecord?
    package var notices: [String]
    package var error: ReportError?

    package init(
        ok: Bool = true, exitCode: Int = 0, workspace: String? = nil, ledgerExists: Bool = true, asOf: Date? = nil,
        tenantCount: Int = 0, runbooks: [RunbookStatus] = [], tenants: [TenantStatus] = [], run: RunRecord? = nil,
        notices: [String] = [], error: ReportError? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        self.ledgerExists = ledgerExists
        self.asOf = asOf
        self.tenantCount = tenantCount
        self.runbooks = runbooks
        self.tenants = tenants
        self.run = run
        self.notices = notices
        self.error = error
    }

    package struct RunbookStatus: Sendable, Codable {
        package var id: String
        package var key: String
        package var title: String?
        package var phase: String?
        package var scope: RunbookScope
        package var counts: StateCounts

        package init(
            id: String, key: String, title: String?, phase: String?, scope: RunbookScope, counts: StateCounts
        ) {
            self.id = id
            self.key = key
            self.title = title
            self.phase = phase
            self.scope = scope
            self.counts = counts
        }
    }

    package struct TenantStatus: Sendable, Codable {
        package var tenant: String
        package var counts: StateCounts

        package init(tenant: String, counts: StateCounts) {
            self.tenant = tenant
            self.counts = counts
        }
    }

    /// How many executions are in which state; `done` is succeeded and baselined together.
    package struct StateCounts: Sendable, Codable, Hashable {
        package var done = 0
        package var pending = 0
        package var running = 0
        package var failed = 0
        package var unknown = 0

        package init() {}
    }
}

/// One run as the ledger has it.
package struct RunRecord: Sendable, Codable {
    package var id: String
    package var identity: String
    package var workspace: String
    package var phase: String?
    package var status: RunStatus
    package var outcome: RunOutcome?
    package var counts: JobCounts
    package var release: String?
    package var revision: String?
    package var manifestDigest: String
    /// `cli`, `hook` or `console`.
    package var door: String
    package var initiator: Initiator
    package var startedAt: Date
    package var finishedAt: Date?
    /// Which rule stopped it, if one did.
    package var stopReason: String?
    package var kind: RunKind
    /// Of a rollback of what one run has done: that run.
    package var undoes: String?

    package init(
        id: String, identity: String, workspace: String, phase: String?, status: RunStatus, outcome: RunOutcome?,
        counts: JobCounts, release: String?, revision: String?, manifestDigest: String, door: String,
        initiator: Initiator, startedAt: Date, finishedAt: Date?, stopReason: String?,
        kind: RunKind = .apply, undoes: String? = nil
    ) {
        self.id = id
        self.identity = identity
        self.workspace = workspace
        self.phase = phase
        self.status = status
        self.outcome = outcome
        self.counts = counts
        self.release = release
        self.revision = revision
        self.manifestDigest = manifestDigest
        self.door = door
        self.initiator = initiator
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.stopReason = stopReason
        self.kind = kind
        self.undoes = undoes
    }
}
