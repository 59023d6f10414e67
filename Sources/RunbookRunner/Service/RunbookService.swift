package import DatabaseAccess
package import RunbookModel

/// The one front door: the command line, the deploy hook and later the console call these and nothing else.
///
/// It never throws for what a pipeline must be able to branch on: every answer is a value with an exit code in it.
package struct RunbookService: Sendable {
    package let opener: any SessionOpener

    /// How many tenants the ledger is asked about in one statement.
    package let pageSize: Int

    package init(opener: any SessionOpener, pageSize: Int = 10_000) {
        self.opener = opener
        self.pageSize = pageSize
    }
}

/// What `apply` is asked to do, besides the manifest.
package struct ApplyRequest: Sendable {
    package var selection: Selection
    package var concurrency: Int?
    package var lockWait: Duration?
    package var release: String?
    package var revision: String?
    package var expectedTenants: Int?
    /// Stands in place of the manifest's `rollout.max_failures`.
    package var maxFailures: Allowance?
    package var initiator: Initiator
    /// `cli`, `hook` or `console`.
    package var door: String
    /// How long running transactions may go on after the first signal.
    package var grace: Duration
    /// Applied exactly as saved, or refused; the selection is the plan's.
    package var plan: SavedPlan?
    /// Set by `retry`: the run of which what failed is run again.
    var retryOf: String?
    /// Set by `retry`: which of that run's tenants the caller asked for.
    var narrowing = Selection()
    /// Set by a rollback: then the manifest is one of undos.
    var rollback: RollbackScope?
    /// What was found out before, for the report.
    var notices: [String] = []

    /// What the report says it is of.
    var command: String { retryOf != nil ? "retry" : kind == .rollback ? "rollback" : "apply" }

    var kind: RunKind { rollback == nil ? .apply : .rollback }

    package init(
        selection: Selection = Selection(), concurrency: Int? = nil, lockWait: Duration? = nil, release: String? = nil,
        revision: String? = nil, expectedTenants: Int? = nil, maxFailures: Allowance? = nil, initiator: Initiator,
        door: String = "cli",
        grace: Duration = .seconds(30)
    ) {
        self.selection = selection
        self.concurrency = concurrency
        self.lockWait = lockWait
        self.release = release
        self.revision = revision
        self.expectedTenants = expectedTenants
        self.maxFailures = maxFailures
        self.initiator = initiator
        self.door = door
        self.grace = grace
    }
}
