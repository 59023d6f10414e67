import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// The one place of a runner that talks to the ledger: an actor on a thread of its own, which owns the session.
actor LedgerDesk {
    let thread = WorkerThread(named: "muster-ledger")
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    let opener: any SessionOpener
    let manifestLedger: LedgerSettings
    let workspace: String
    let upgrades: [LedgerSchema.Upgrade]
    /// What workers say of backfills in tenants that keep their receipts themselves.
    nonisolated let board = BatchBoard()
    nonisolated let cancelled = CancelledTenants()
    nonisolated let tray = JobTray()
    var ledger: Ledger?
    var applicationName = "muster"
    /// Which database the ledger is in; nil when it is SQLite.
    var place: ServerPlace?

    /// When failures stop the run, by number of the wave.
    var rules: [StopRule] = []
    /// The failures of each wave, as the ledger last said.
    var tallies: [Int: FailureTally] = [:]
    /// Why nothing more of the run begins.
    var stopReason: String?
    /// How many jobs are claimed at once: as many as keep the workers busy for a moment, so that claims do not count.
    var chunk = 32
    var largestChunk = 128
    var lastClaim = ContinuousClock.now
    /// How many the last claim was to bring.
    var lastCount = 0

    /// How many tenants this runner works on at once, by number of the wave.
    var ceilings: [Int] = []
    /// A gate that this runner is to ask.
    var openGate: GateQuestion?
    var isAskingGate = false
    /// Since when a gate says that it is to be asked again.
    var gateSince: ContinuousClock.Instant?
    var nextGateTry = ContinuousClock.now
    /// There is nothing to look for before.
    var quietUntil = ContinuousClock.now
    /// The place whose pause people were told of.
    var announced: Int?

    /// Places of the run where one tenant is worked on at a time.
    var sharedPlaces: Set<Int> = []
    /// Tenants are in other PostgreSQL databases than the ledger's.
    var livesElsewhere = false
    var holdsWorkspace = false
    /// Somebody wants the workspace for himself.
    var isYielding = false

    var hooks = RunHooks()
    var host = ""
    var release: String?
    /// The run's `before_run` has not passed yet: nothing is claimed.
    var isOpening = false
    /// This runner has a hook of the run under way.
    var isStartingHook = false
    /// The run is complete, and hooks behind it may be under way.
    var isFinishing = false
    var nextHookTry = ContinuousClock.now
    /// Somebody's hook may still go on where this runner cannot end it.
    var isOutOfReach = false
    var outOfReachSince: ContinuousClock.Instant?
    /// Jobs that ended without a worker, and the hook behind them is to be started.
    var closing: [(assignment: Assignment, result: JobResult)] = []

    /// How many connections the workers may have.
    var room = ConnectionRoom(share: .max)
    /// Workers that may have one, by number.
    var holding: Set<Int> = []
    var hasToldOfRefusal = false

    // The run under way, once `begin` has made or joined one.
    var fleet: PlannedFleet?
    var run: StartedRun?
    var runner = ""
    var stop = StopSwitch()
    var events: (any EventSink)?
    var lockWait: Duration?
    /// The last claim got all there was, and that was something: who found nothing asks again after a pause.
    var isDrained = false
    /// Claimed, waiting for a worker.
    var claimed: [ClaimedJob] = []
    /// Waiting for somebody's lock, with the time of the next try.
    var parked: [(assignment: Assignment, at: ContinuousClock.Instant)] = []
    /// Ended, not yet written.
    var results: [JobResult] = []
    var underWay = 0
    var stage = 0
    var isOver = false
    /// Something is older than the retention, as the report's questions have told.
    var mayFold = false
    /// This runner is the one that completed the run, and tidies up after it.
    var hasCompleted = false
    var problem: ServiceError?
    /// A claim was sent and its answer lost: the ledger may say of jobs that they are ours, and we do not know it.
    var hasLostClaim = false
    /// Holds the runner's key; nil where a pooler would make it somebody else's.
    var keys: (any AdvisoryLocks)?
    var holdsKey = false
    /// Tenants whose job another runner has taken over.
    var superseded = 0
    /// Nothing is claimed before: what there is belongs to somebody else.
    var holdsBack = ContinuousClock.now
    var lastLook = ContinuousClock.now - .seconds(60)
    var lastBurial = ContinuousClock.now
    var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
    var sleeperNumber = 0
    /// How often the sleepers were woken.
    var wakes = 0

    init(
        opener: any SessionOpener, ledger: LedgerSettings, workspace: String,
        upgrades: [LedgerSchema.Upgrade] = LedgerSchema.upgrades
    ) {
        self.opener = opener
        self.upgrades = upgrades
        manifestLedger = ledger
        self.workspace = workspace
    }

    // MARK: Opening and closing

    /// Opens the ledger for questions. False when there is none yet.
    ///
    /// - Parameter mayPrepare: whether a SQLite file that a killed runner left in the middle of something may be put
    ///   right first, and an older ledger upgraded; that writes.
    func openForReading(mayPrepare: Bool = false) throws(ServiceError) -> Bool {
        let url = try address(manifestLedger.url)
        if let path = url.path, !FileManager.default.fileExists(atPath: path) { return false }
        let session: any DatabaseSession
        do throws(ServiceError) { session = try connect(isReadOnly: true) } catch {
            guard mayPrepare, url.dialect == .sqlite else { throw error }
            try connect(isReadOnly: false).close()
            session = try connect(isReadOnly: true)
        }
        do throws(LedgerError) {
            ledger = try Ledger.read(
                session, schema: manifestLedger.schema, workspace: workspace, upgrades: upgrades)
            return true
        } catch {
            session.close()
            if error.code == .missing { return false }
            if error.code == .older, mayPrepare {
                try openForWriting(applicationName: applicationName)
                close()
                return try openForReading()
            }
            throw ServiceError(error)
        }
    }

    /// Opens the ledger for a run; makes or upgrades it where needed. What is open for questions serves in PostgreSQL:
    /// there each transaction says for itself whether it writes.
    ///
    /// - Parameter name: nil for the one it has.
    func openForWriting(applicationName name: String? = nil) throws(ServiceError) {
        // The ledger's writes are transactions, so a pooler may stand in between.
        let name = name ?? applicationName
        let known = name == applicationName && ledger?.session.isUsable == true && ledger?.dialect == .postgresql
        if !known { close() }
        applicationName = name
        let session: any DatabaseSession
        if let ledger { session = ledger.session } else { session = try connect(isReadOnly: false) }
        do {
            if known, let ledger {
                // A newer muster may have upgraded it since it was read.
                place = try ledger.readAgain(with: ServerPlace.question(session))
            } else {
                ledger = try Ledger.open(
                    session, schema: manifestLedger.schema, workspace: workspace, upgrades: upgrades)
                place = try ServerPlace.of(session)
            }
        } catch {
            session.close()
            ledger = nil
            throw switch error {
            case let error as LedgerError: ServiceError(error)
            case let error as DatabaseError: ServiceError(LedgerError(error))
            default: ServiceError(.internal, "\(error)")
            }
        }
    }

    func close() {
        ledger?.session.close()
        ledger = nil
        keys = nil
    }

    /// Closes the ledger once the process has said all it has to say.
    func part() {
        if let session = ledger?.session { opener.part(with: session) }
        close()
    }

    private func address(_ url: Redacted) throws(ServiceError) -> ConnectionURL {
        do throws(DatabaseError) { return try ConnectionURL(parsing: url.revealed) } catch {
            throw ServiceError(.ledger, "ledger.url: \(error.message)")
        }
    }

    func connect(isReadOnly: Bool) throws(ServiceError) -> any DatabaseSession {
        let url = try address(manifestLedger.url)
        do throws(DatabaseError) {
            return try opener.open(
                url,
                SessionOptions(
                    applicationName: applicationName, isReadOnly: isReadOnly, createsFile: !isReadOnly,
                    busyTimeout: .seconds(30)))
        } catch {
            let isAway = error.code == .unreachable && url.dialect == .postgresql
            let hint = error.hint.map { ". \($0)" } ?? ""
            throw ServiceError(isAway ? .unreachable : .ledger, "The ledger cannot be opened: \(error.message)\(hint)")
        }
    }

    /// Asks the ledger, patiently once a run is under way; a failure becomes a `ServiceError`.
    func asking<Answer>(
        _ question: (Ledger) throws(DatabaseError) -> Answer
    ) throws(ServiceError) -> Answer {
        do throws(DatabaseError) { return try insisting(question) } catch { throw serviceError(error) }
    }

    /// Once a run is under way tenants may have been touched, and a ledger that fails is no refusal any more.
    func serviceError(_ error: DatabaseError) -> ServiceError {
        var failure = ServiceError(LedgerError(error))
        if run != nil, failure.code == .ledger { failure.code = .internal }
        return failure
    }
}

extension ServiceError {
    init(_ error: LedgerError) {
        switch error.code {
        case .unreachable, .busy: self.init(.unreachable, error.message)
        case .missing, .newer, .older, .failed: self.init(.ledger, error.message)
        }
    }
}
