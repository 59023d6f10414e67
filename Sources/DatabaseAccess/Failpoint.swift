#if FAILPOINTS
    import FoundationEssentials
    import Glibc
    import Groundwork
    import Synchronization
#endif

/// A named place just before or after a durable write, where tests let a runner fail.
///
/// Without the compilation condition FAILPOINTS a failpoint is an empty function. With it, `MUSTER_FAILPOINTS` says what
/// happens at which hit, such as `claim_jobs.after=kill@3;beat.before=hang:200@1`: `throw` (a lost connection), `hang:N`
/// (milliseconds), `stop` (SIGSTOP) and `kill` (SIGKILL) of this process, each at the hit of that number alone. Each one
/// that fires is appended to the file `MUSTER_FAILPOINTS_LOG` first.
package enum Failpoint: String, Sendable, CaseIterable {
    /// Between BEGIN and COMMIT of the ledger's creation or upgrade, and behind it.
    case ledgerUpgrade = "ledger_upgrade"
    case remember
    case startRun = "start_run"
    case addRunner = "add_runner"
    case claimJobs = "claim_jobs"
    case writeResults = "write_results"
    case beat
    case releaseSilent = "release_silent"
    case buryRunner = "bury_runner"
    case advanceRun = "advance_run"
    /// Between the end of a wave and its gate.
    case takeGate = "take_gate"
    case completeRun = "complete_run"
    /// A hook around a run or a tenant: when its start and its end are written.
    case takeHook = "take_hook"
    case endHook = "end_hook"
    /// That hook itself: about to be started, and behind its end.
    case runHook = "run_hook"
    case endRunner = "end_runner"
    case cancelRun = "cancel_run"
    case cancelTenants = "cancel_tenants"
    /// Finished records on their way into a set.
    case seal
    /// PostgreSQL: a message on its way. After: it is sent, no answer is read; `throw` cuts the connection.
    case message
    /// PostgreSQL: claim, script, record and COMMIT in one message. After: it is answered, the answer not used.
    case scriptMessage = "script_message"
    case receiptsTable = "receipts_table"
    case beginAttempt = "begin_attempt"
    case directStatement = "direct_statement"
    case hook
    /// A batch's statement, inside its transaction.
    case batchStatement = "batch_statement"
    /// A batch's receipt and COMMIT. After: it is answered, the answer not used.
    case batchCommit = "batch_commit"
    case endAttempt = "end_attempt"
    case sqliteBegin = "sqlite_begin"
    case sqliteReceipt = "sqlite_receipt"
    case sqliteCommit = "sqlite_commit"
    /// `resolve` and `ledger repair`: in the tenant.
    case settleReceipts = "settle_receipts"
    /// `resolve` and `ledger repair`: in the ledger.
    case changeRecords = "change_records"

    package enum Moment: String, Sendable, CaseIterable {
        case before
        case after
    }
}

#if FAILPOINTS
    extension Failpoint {
        package static func reach(_ point: Self, _ moment: Moment) throws(DatabaseError) {
            switch FailpointPlan.shared.hit("\(point.rawValue).\(moment.rawValue)") {
            case nil: return
            case .fault: throw DatabaseError(.connectionLost, "failpoint \(point.rawValue).\(moment.rawValue)")
            case .hang(let seconds): blockThread(for: .seconds(seconds))
            case .signal(let signal): kill(getpid(), signal)
            }
        }

        /// For places where nothing can be thrown: `throw` does nothing there.
        package static func pass(_ point: Self, _ moment: Moment) {
            do throws(DatabaseError) { try reach(point, moment) } catch {}
        }

        /// A number of Muster's own, replaced for the time of a test.
        package static func setting(_ name: String, _ usual: Int) -> Int {
            ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
        }
    }

    /// What `MUSTER_FAILPOINTS` asks for, and how often each failpoint was hit.
    private final class FailpointPlan: Sendable {
        enum Action {
            case fault
            case hang(Double)
            case signal(Int32)
        }

        static let shared = FailpointPlan(ProcessInfo.processInfo.environment)

        private let faults: [String: [Int: String]]
        private let log: OutputFile?
        private let hits = Mutex<[String: Int]>([:])

        init(_ environment: [String: String]) {
            var faults: [String: [Int: String]] = [:]
            for entry in (environment["MUSTER_FAILPOINTS"] ?? "").split(separator: ";") {
                let sides = entry.split(separator: "=").map(String.init)
                let action = sides.last?.split(separator: "@").map(String.init) ?? []
                guard sides.count == 2, action.count == 2, let hit = Int(action[1]) else { continue }
                faults[sides[0], default: [:]][hit] = action[0]
            }
            self.faults = faults
            if let path = environment["MUSTER_FAILPOINTS_LOG"] { log = OutputFile(path) } else { log = nil }
        }

        func hit(_ name: String) -> Action? {
            guard let mine = faults[name] else { return nil }
            return hits.withLock { hits in
                hits[name, default: 0] += 1
                guard let action = mine[hits[name] ?? 0] else { return nil }
                _ = log?.write("\(name) \(action)\n")
                return switch action {
                case "throw": .fault
                case "stop": .signal(SIGSTOP)
                case "kill": .signal(SIGKILL)
                default: .hang((Double(action.split(separator: ":").last ?? "") ?? 0) / 1000)
                }
            }
        }
    }
#else
    extension Failpoint {
        @inlinable package static func reach(_ point: Self, _ moment: Moment) throws(DatabaseError) {}

        @inlinable package static func pass(_ point: Self, _ moment: Moment) {}

        @inlinable package static func setting(_ name: String, _ usual: Int) -> Int { usual }
    }
#endif
