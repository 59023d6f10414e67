package import RunbookModel

/// Who wants to do what: everything that a claim and its record name.
package struct ClaimTicket: Sendable {
    package var workspace: String
    /// Empty for the workspace's own runbooks.
    package var tenant: String
    /// Whether the target holds this tenant alone: then a receipt belongs to the target, and its tenant is information.
    package var holdsOneTenant: Bool
    package var identity: Identity
    package var checksum: String
    package var policy: ChangePolicy
    /// When it may be undone; nil where it is to be done.
    package var undoes: UndoRule?
    /// Whether it may run although the end of its last attempt was not seen.
    package var mayRepeat: Bool
    package var run: String
    package var runner: String
    package var host: String
    package var job: ClaimedJob
    /// What the ledger holds as succeeded here, to be compared with the tenant's receipts before anything is run; nil
    /// when that was done already.
    package var proven: [Identity]?
    /// Whether it may stand among what is sealed of the tenant. While a run is open nothing is sealed.
    package var mayBeSealed: Bool
    /// Milliseconds that a hook may take; nil for what is no hook.
    package var timeLimit: Int?
    /// Compared at the record: proof that the transaction is still the claim's.
    package var token: String
    package let keys: TenantKeys

    package init(
        workspace: String, tenant: String, holdsOneTenant: Bool, runbook: Runbook, mayRepeat: Bool, run: String,
        runner: String, host: String, job: ClaimedJob, proven: [Identity]? = nil,
        mayBeSealed: Bool = true, token: String, keys: TenantKeys? = nil
    ) {
        self.workspace = workspace
        self.tenant = tenant
        self.holdsOneTenant = holdsOneTenant
        self.identity = runbook.identity
        self.checksum = runbook.checksum
        self.policy = runbook.onChange
        self.undoes = runbook.undoes
        self.mayRepeat = mayRepeat
        self.run = run
        self.runner = runner
        self.host = host
        self.job = job
        self.proven = proven
        self.mayBeSealed = mayBeSealed
        if case .exec(let command) = runbook.action {
            let (seconds, fraction) = command.timeout.components
            timeLimit = Int(seconds) * 1000 + Int(fraction / 1_000_000_000_000_000)
        }
        self.token = token
        self.keys = keys ?? TenantKeys(workspace: workspace, tenant: tenant)
    }

    package var gateKey: Int64 { keys.gate }
    package var workspaceKey: Int64 { keys.workspace }
    package var tenantKey: Int64 { keys.tenant }

    package var isScript: Bool { timeLimit == nil }

    /// What the record of an attempt bears: the checksum of the body, or of its undo.
    package var recordedChecksum: String { undoes?.recorded ?? checksum }

    /// The state of a record whose attempt did what it was meant to.
    package var aim: ExecutionState { undoes == nil ? .succeeded : .rolledBack }

    /// What the ledger's functions are told of when it may run.
    var rule: String { undoes?.words ?? policy.rawValue }

    /// The part of a receipt's key that tells tenants in one database apart.
    var holder: String { holdsOneTenant ? "" : tenant }
}
