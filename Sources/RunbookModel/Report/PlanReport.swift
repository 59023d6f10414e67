/// What apply would do. Encodes as `muster.plan/1`.
package struct PlanReport: Sendable, Codable {
    package var schema = "muster.plan/1"
    package var command = "plan"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    package var phase: String?
    package var digest: String?
    /// false while no ledger exists: apply would create it.
    package var ledgerExists: Bool
    package var tenantCount: Int
    /// identities x tenants that would run, where tenants can be reached and where not.
    package var pending: Int
    package var runbooks: [PlannedRunbook]
    /// Tenants with anything that is not done, in their order.
    package var tenants: [PlannedTenant]
    /// Who holds locks that apply would wait for.
    package var locks: [LockList.Holder] = []
    /// null while nothing is pending.
    package var estimate: DeployEstimate?
    package var notices: [String]
    package var error: ReportError?
    /// The command that does it.
    package var next: String?

    package init(
        ok: Bool = true, exitCode: Int = 0, workspace: String? = nil, phase: String? = nil, digest: String? = nil,
        ledgerExists: Bool = true, tenantCount: Int = 0, pending: Int = 0, runbooks: [PlannedRunbook] = [],
        tenants: [PlannedTenant] = [], notices: [String] = [], error: ReportError? = nil, next: String? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        self.phase = phase
        self.digest = digest
        self.ledgerExists = ledgerExists
        self.tenantCount = tenantCount
        self.pending = pending
        self.runbooks = runbooks
        self.tenants = tenants
        self.notices = notices
        self.error = error
        self.next = next
    }

    package struct PlannedRunbook: Sendable, Codable {
        package var id: String
        package var key: String
        package var title: String?
        package var phase: String
        package var scope: RunbookScope
        /// `sql`, `batch` or `exec`.
        package var kind: String
        package var transaction: Bool
        /// The script's path, or the hook's program.
        package var file: String
        package var checksum: String
        package var counts: DecisionCounts
        /// null without a preflight query, and where it is pending nowhere.
        package var preflight: PreflightSum?
        /// null while it never ran.
        package var duration: SeenDuration?

        package init(
            id: String, key: String, title: String?, phase: String, scope: RunbookScope, kind: String,
            transaction: Bool, file: String, checksum: String, counts: DecisionCounts,
            preflight: PreflightSum? = nil, duration: SeenDuration? = nil
        ) {
            self.id = id
            self.key = key
            self.title = title
            self.phase = phase
            self.scope = scope
            self.kind = kind
            self.transaction = transaction
            self.file = file
            self.checksum = checksum
            self.counts = counts
            self.preflight = preflight
            self.duration = duration
        }
    }

    /// What the tenants answered to a preflight query, together.
    package struct PreflightSum: Sendable, Codable, Hashable {
        package var sum = 0
        /// Tenants that answered.
        package var answered = 0
        package var failed = 0

        package init(sum: Int = 0, answered: Int = 0, failed: Int = 0) {
            self.sum = sum
            self.answered = answered
            self.failed = failed
        }

        package mutating func add(_ answer: PreflightAnswer) {
            guard case .count(let count) = answer else {
                failed += 1
                return
            }
            (sum, _) = sum.addingReportingOverflow(count)
            answered += 1
        }
    }

    /// What apply would do with one identity in one tenant, as far as it can be told without being there.
    package enum Decision: String, Sendable, Codable, CaseIterable {
        case run
        case done
        case blocked
        case notApplicable = "not_applicable"
        case drifted
        case unknown
        /// It would run, but its server or file is not to be had now.
        case unreachable

        package init(_ decision: PlanDecision) {
            self =
                switch decision {
                case .run: .run
                case .done: .done
                case .blocked: .blocked
                case .notApplicable: .notApplicable
                case .drifted: .drifted
                case .unknown: .unknown
                }
        }
    }

    package struct DecisionCounts: Sendable, Codable, Hashable {
        package var run = 0
        package var done = 0
        package var blocked = 0
        package var notApplicable = 0
        package var drifted = 0
        package var unknown = 0
        package var unreachable = 0

        package init() {}

        package mutating func add(_ decision: Decision, _ count: Int = 1) {
            switch decision {
            case .run: run += count
            case .done: done += count
            case .blocked: blocked += count
            case .notApplicable: notApplicable += count
            case .drifted: drifted += count
            case .unknown: unknown += count
            case .unreachable: unreachable += count
            }
        }
    }

    package struct PlannedTenant: Sendable, Codable {
        /// null for the workspace's own runbooks.
        package var tenant: String?
        package var steps: [PlannedStep]

        package init(tenant: String?, steps: [PlannedStep]) {
            self.tenant = tenant
            self.steps = steps
        }
    }

    package struct PlannedStep: Sendable, Codable {
        package var runbook: String
        package var key: String
        package var decision: Decision
        /// Why, where the decision alone does not say it: what blocks it, what changed.
        package var reason: String?
        /// What its preflight query answered here; null where it was not asked.
        package var preflight: Answer?

        package struct Answer: Sendable, Codable, Hashable {
            package var count: Int?
            /// Why there is no count.
            package var error: String?

            package init(_ answer: PreflightAnswer) {
                switch answer {
                case .count(let count): self.count = count
                case .failed(let reason), .unreachable(let reason): error = reason
                }
            }
        }

        package init(runbook: String, key: String, decision: Decision, reason: String? = nil) {
            self.runbook = runbook
            self.key = key
            self.decision = decision
            self.reason = reason
        }
    }
}
