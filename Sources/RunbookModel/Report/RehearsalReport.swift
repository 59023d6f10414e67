package import FoundationEssentials

/// What apply would meet, tried and rolled back. Encodes as `muster.rehearsal/1`.
package struct RehearsalReport: Sendable, Codable {
    package var schema = "muster.rehearsal/1"
    package var command = "rehearse"
    package var ok = false
    /// As apply would answer, by what the rehearsal saw.
    package var exitCode = 0
    package var outcome = RunOutcome.succeeded
    package var nothingToDo = false
    package var retryable = false
    package var workspace: String?
    package var phase: String?
    /// How many tenants with something to do were asked for; null for all.
    package var sample: Int?
    package var maxHoldMS = 0
    package var counts = TenantCounts()
    package var runbooks: [RehearsedRunbook] = []
    /// The strongest lock seen on each relation, strongest first. Relations that the rehearsal made itself are left out.
    package var locks: [SeenLock] = []
    /// null where no PostgreSQL server was asked.
    package var wal: WrittenLog?
    /// What apply would take in all tenants, by what it took in those of the rehearsal; null where nothing was rehearsed.
    package var estimate: DeployEstimate?
    package var tenants: [RehearsedTenant] = []
    package var failures: [Failure] = []
    package var causes: [Cause] = []
    /// Hooks around the run and its tenants.
    package var hooks: [RehearsedHook] = []
    package var notices: [String] = []
    package var error: ReportError?
    /// The command that does it; null when it would not all succeed.
    package var next: String?
    package var startedAt: Date
    package var finishedAt: Date
    package var durationMS = 0

    package init(workspace: String? = nil, phase: String? = nil, startedAt: Date) {
        self.workspace = workspace
        self.phase = phase
        self.startedAt = startedAt
        finishedAt = startedAt
    }

    /// Tenants; the workspace's own runbooks are not among them.
    package struct TenantCounts: Sendable, Codable, Hashable {
        /// Nothing is to be done there.
        package var done = 0
        package var rehearsed = 0
        package var wouldSucceed = 0
        package var wouldFail = 0
        /// Nothing of it could be rehearsed.
        package var notRehearsable = 0
        package var busy = 0
        package var unreachable = 0
        package var maxHold = 0
        package var stopped = 0
        package var leftTransaction = 0
        /// With something to do, and not in the sample.
        package var notInSample = 0

        package init() {}

        mutating func add(_ tenant: RehearsedTenant) {
            switch tenant.obstacle {
            case .busy?: busy += 1
            case .unreachable?: unreachable += 1
            case .maxHold?: maxHold += 1
            case .stopped?: stopped += 1
            case .leftTransaction?: leftTransaction += 1
            case nil where !tenant.has(.wouldSucceed) && !tenant.has(.wouldFail): notRehearsable += 1
            case nil:
                rehearsed += 1
                if tenant.has(.wouldFail) { wouldFail += 1 } else { wouldSucceed += 1 }
            }
        }
    }

    package struct StepCounts: Sendable, Codable, Hashable {
        package var wouldSucceed = 0
        package var wouldFail = 0
        package var blocked = 0
        package var notRehearsed = 0
        package var unknown = 0

        package init() {}

        package mutating func add(_ state: RehearsalState) {
            switch state {
            case .wouldSucceed: wouldSucceed += 1
            case .wouldFail: wouldFail += 1
            case .blocked: blocked += 1
            case .notRehearsed: notRehearsed += 1
            case .unknown: unknown += 1
            }
        }
    }

    package struct RehearsedRunbook: Sendable, Codable {
        package var id: String
        package var key: String
        package var phase: String
        package var counts = StepCounts()
        package var rowsAffected = 0
        /// Of all tenants together.
        package var durationMS = 0
        /// Of the slowest tenant.
        package var longestMS = 0
        /// Whether indexes that apply builds CONCURRENTLY were built in the transaction.
        package var asPlainBuild = false
        /// Why it was not rehearsed, in the first tenant that met no obstacle.
        package var reason: String?

        package init(id: String, key: String, phase: String) {
            self.id = id
            self.key = key
            self.phase = phase
        }
    }

    package struct SeenLock: Sendable, Codable {
        package var relation: String
        package var mode: RelationLockMode
        /// The runbook that took it, in the first tenant where it was seen.
        package var runbook: String
        package var blocksReads: Bool
        package var blocksWrites: Bool
        package var tenants = 0
        package var longestHeldMS = 0

        package init(relation: String, mode: RelationLockMode, runbook: String, blocksReads: Bool, blocksWrites: Bool) {
            self.relation = relation
            self.mode = mode
            self.runbook = runbook
            self.blocksReads = blocksReads
            self.blocksWrites = blocksWrites
        }
    }

    /// What the servers wrote to their logs meanwhile.
    package struct WrittenLog: Sendable, Codable, Hashable {
        package enum Source: String, Sendable, Codable {
            /// What the statements of the databases wrote.
            case statements = "pg_stat_statements"
            /// How far the servers' logs moved: whatever anybody wrote.
            case position = "lsn"
        }

        package var bytes: Int
        package var source: Source
        package var isUpperBound: Bool

        package init(bytes: Int, source: Source) {
            self.bytes = bytes
            self.source = source
            isUpperBound = source == .position
        }
    }

    package struct RehearsedTenant: Sendable, Codable {
        /// null for the workspace's own runbooks.
        package var tenant: String?
        /// Why it was not rehearsed to its end; null when it was.
        package var obstacle: RehearsalObstacle?
        package var message: String?
        /// How long its transaction was open.
        package var heldMS: Int
        package var steps: [RehearsedStep]
        package var locks: [RelationLock]

        package init(tenant: String?, _ course: RehearsalCourse, heldMS: Int = 0, locks: [RelationLock] = []) {
            self.tenant = tenant
            obstacle = course.obstacle
            message = course.message
            self.heldMS = heldMS
            steps = course.steps
            self.locks = locks
        }

        package func has(_ state: RehearsalState) -> Bool { steps.contains { $0.state == state } }
    }

    package struct RehearsedHook: Sendable, Codable, Hashable {
        package var hook: RunHook
        /// null for a hook around the run, and for one that was not started.
        package var tenant: String?
        package var state: RehearsalState
        package var exitCode: Int?
        package var reason: String?
        package var output: String?

        package init(
            hook: RunHook, tenant: String?, state: RehearsalState, exitCode: Int?, reason: String?, output: String?
        ) {
            self.hook = hook
            self.tenant = tenant
            self.state = state
            self.exitCode = exitCode
            self.reason = reason
            self.output = output
        }
    }

    package struct RehearsedStep: Sendable, Codable, Hashable {
        package var runbook: String
        package var key: String
        package var state: RehearsalState
        package var reason: String?
        package var rowsAffected: Int?
        package var durationMS: Int?
        /// Whether indexes that apply builds CONCURRENTLY were built in the transaction.
        package var asPlainBuild = false

        package init(runbook: String, key: String, state: RehearsalState) {
            self.runbook = runbook
            self.key = key
            self.state = state
        }
    }
}
