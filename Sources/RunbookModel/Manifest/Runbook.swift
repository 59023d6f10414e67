/// One declared unit of work, with every default filled in.
package struct Runbook: Sendable, Identifiable {
    package var id: String
    package var key: String
    package var title: String?
    package var phase: String
    /// Ids of runbooks that must be done first.
    package var after: [String]
    package var scope: RunbookScope
    /// Label to accepted values: a tenant matches when each label has one of its values. Empty: every tenant.
    package var match: [String: [String]]
    package var barrier: Bool
    package var transaction: Bool
    package var repeatable: Bool
    /// SQLite: whether foreign keys are enforced while the script runs.
    package var foreignKeys: Bool
    package var onChange: ChangePolicy
    package var action: RunbookAction
    /// One query that answers one boolean; false fails the execution.
    package var verify: SQLScript?
    /// A query with one number, asked by plan: how much there is to do.
    package var preflight: SQLScript?
    package var limits: RunbookLimits
    /// `sha256:<hex>` over the action.
    package var checksum: String
    /// 1-based line of the manifest where it is declared, when known.
    package var line: Int?

    package init(
        id: String, key: String = "1", title: String? = nil, phase: String, after: [String] = [],
        scope: RunbookScope = .tenant, match: [String: [String]] = [:], barrier: Bool = false, transaction: Bool = true,
        repeatable: Bool = false, foreignKeys: Bool = false, onChange: ChangePolicy = .fail, action: RunbookAction,
        verify: SQLScript? = nil, preflight: SQLScript? = nil, limits: RunbookLimits = RunbookLimits(),
        checksum: String, line: Int? = nil
    ) {
        self.id = id
        self.key = key
        self.title = title
        self.phase = phase
        self.after = after
        self.scope = scope
        self.match = match
        self.barrier = barrier
        self.transaction = transaction
        self.repeatable = repeatable
        self.foreignKeys = foreignKeys
        self.onChange = onChange
        self.action = action
        self.verify = verify
        self.preflight = preflight
        self.limits = limits
        self.checksum = checksum
        self.line = line
    }

    package var identity: Identity { Identity(runbook: id, key: key) }

    /// What it does in batches; nil when it does not.
    package var batch: BatchWork? {
        if case .batch(let work) = action { work } else { nil }
    }
}

/// Once per tenant, or once for all of them.
package enum RunbookScope: String, Sendable, Codable, CaseIterable {
    case tenant
    case workspace
}

/// What a changed body under a finished key means.
package enum ChangePolicy: String, Sendable, Codable, CaseIterable {
    /// Drift: refused, exit 4.
    case fail
    /// It runs again.
    case rerun
    /// The new body counts as done.
    case accept
}

/// What a runbook does.
package enum RunbookAction: Sendable {
    case sql(SQLScript)
    case batch(BatchWork)
    case exec(HookCommand)
}

/// A hook executable: an argument vector, never a shell string.
package struct HookCommand: Sendable, Hashable {
    /// The program as found (absolute, or a bare name for PATH), then its arguments.
    package var arguments: [String]
    package var timeout: Duration
    /// Whether it may be started in a dry run.
    package var dryRun: Bool

    package init(arguments: [String], timeout: Duration, dryRun: Bool = false) {
        self.arguments = arguments
        self.timeout = timeout
        self.dryRun = dryRun
    }
}

/// How long a runbook may wait and work, and how often it is tried.
package struct RunbookLimits: Sendable, Hashable {
    /// How long a tenant's lock is waited for.
    package var lockWait: Duration
    /// SQL session: how long a statement waits for a relation's lock. nil: no limit.
    package var lockTimeout: Duration?
    /// How long one statement may take. nil: no limit.
    package var statementTimeout: Duration?
    /// How long the whole execution may take. nil: no limit.
    package var runbookTimeout: Duration?
    /// How often a transient failure is tried again.
    package var retries: Int

    package init(
        lockWait: Duration = .seconds(300), lockTimeout: Duration? = .seconds(3),
        statementTimeout: Duration? = .seconds(900), runbookTimeout: Duration? = .seconds(3600), retries: Int = 3
    ) {
        self.lockWait = lockWait
        self.lockTimeout = lockTimeout
        self.statementTimeout = statementTimeout
        self.runbookTimeout = runbookTimeout
        self.retries = retries
    }
}
