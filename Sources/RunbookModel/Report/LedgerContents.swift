package import FoundationEssentials

/// `muster ledger list`: encodes as `muster.ledger/1`.
package struct LedgerContents: Sendable, Codable {
    package var schema = "muster.ledger/1"
    package var command = "ledger list"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    /// How many tenants were seen last.
    package var tenants: Int
    /// Everything that was ever listed or is on record, newest manifest first.
    package var identities: [ListedIdentity]
    /// What is on record of the tenants that were named; null when none was.
    package var records: [LedgerRecord]?
    /// What went wrong; null when the question was answered.
    package var error: ReportError?

    package init(
        ok: Bool, exitCode: Int, workspace: String? = nil, tenants: Int = 0, identities: [ListedIdentity] = [],
        records: [LedgerRecord]? = nil, error: ReportError? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        self.tenants = tenants
        self.identities = identities
        self.records = records
        self.error = error
    }

    package struct ListedIdentity: Sendable, Codable, Hashable {
        package var runbook: String
        package var key: String
        /// null when no manifest was seen that listed it.
        package var phase: String?
        package var scope: RunbookScope?
        /// Whether the manifest that was seen last lists it.
        package var isListed: Bool
        package var succeeded = 0
        package var baselined = 0
        package var running = 0
        package var failed = 0
        package var unknown = 0
        package var rolledBack = 0

        package init(_ identity: Identity, phase: String? = nil, scope: RunbookScope? = nil, isListed: Bool = false) {
            runbook = identity.runbook
            key = identity.key
            self.phase = phase
            self.scope = scope
            self.isListed = isListed
        }

        package mutating func add(_ state: ExecutionState, _ count: Int) {
            switch state {
            case .succeeded: succeeded += count
            case .baselined: baselined += count
            case .running: running += count
            case .failed: failed += count
            case .unknown: unknown += count
            case .rolledBack: rolledBack += count
            }
        }
    }
}

/// One record: an identity in one tenant.
package struct LedgerRecord: Sendable, Codable, Hashable {
    package var workspace: String
    /// null for a runbook of workspace scope.
    package var tenant: String?
    package var runbook: String
    package var key: String
    package var state: ExecutionState
    package var clean: Bool?
    package var attempt: Int
    package var checksum: String
    /// null once its history was folded, or when nothing ran.
    package var runID: String?
    package var finishedAt: Date?

    package init(
        workspace: String, tenant: String?, identity: Identity, state: ExecutionState, clean: Bool?, attempt: Int,
        checksum: String, runID: String?, finishedAt: Date?
    ) {
        self.workspace = workspace
        self.tenant = tenant
        runbook = identity.runbook
        key = identity.key
        self.state = state
        self.clean = clean
        self.attempt = attempt
        self.checksum = checksum
        self.runID = runID
        self.finishedAt = finishedAt
    }
}
