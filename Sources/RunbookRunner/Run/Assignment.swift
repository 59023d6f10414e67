import LedgerStore
import RunbookModel

/// A claimed job on its way through a worker: what is to be done in this stage, and what came of it so far.
struct Assignment: Sendable {
    var job: ClaimedJob
    var member: TenantSet.Member
    var steps: [TenantPlanner.Step]
    /// The stage in which this tenant has work next.
    var nextStage: Int?
    var outcomes: [ExecutionOutcome] = []
    /// Index of the next step.
    var position = 0
    /// Ids of runbooks that keep what comes after them from running.
    var obstacles: Set<String> = []
    var brokenPhase: String?
    var isBlocked = false
    /// Since when its lock is waited for.
    var waitingSince: ContinuousClock.Instant?
    /// Its file is locked by another program: that is waited for, not Muster's own lock.
    var isFileBusy = false
    /// Since when its server is away.
    var awaySince: ContinuousClock.Instant?
    /// A connection was lost under the steps before this index, so that "done" may well mean: by that try.
    var lostEnd = 0
    /// A message of several runbooks could not be read: from here on each goes alone.
    var goesSingly = false
    /// A brief claim met something on record: from here on each is a full one.
    var claimsInFull = false
    /// Who holds the lock that is waited for, when that was looked at.
    var holder: LockHolder?
    /// A holder whose runner is gone: it is ended before the next try.
    var endsHolder: LockHolder?
    /// The last one that was to be ended.
    var ended: (holder: LockHolder, at: ContinuousClock.Instant)?
    /// What the ledger holds as succeeded in this tenant.
    var proven: [Identity] = []
    /// Which identities are sealed in this tenant; nil: not known.
    var sealed: Set<Identity>?
    /// Whether that was compared with the tenant's receipts.
    var isSurveyed = false
    /// The tenant is not the one that the ledger means: nothing more is run in it.
    var isRefused = false
    /// The hook before it was started, or there is none and the work has begun: the one behind it is due.
    var isAttended = false
    var tries = 0
    /// Whether what was answered last has reached the disk.
    var isOnDisk = true
    var startedAt = ContinuousClock.now

    init(job: ClaimedJob, member: TenantSet.Member, steps: [TenantPlanner.Step], nextStage: Int?) {
        self.job = job
        self.member = member
        self.steps = steps
        self.nextStage = nextStage
    }

    var tenant: Tenant { member.tenant }

    var hasLostTry: Bool { position < lostEnd }

    /// The steps that go together from here on: as many as one message or one opened file
    /// can serve, else the next one alone.
    ///
    /// - Parameters:
    ///   - isFused: they are one transaction. SQLite changes `foreign_keys` only outside of one.
    ///   - shortest: runbooks with a shorter `runbook_timeout` go alone: within a message the moment at which one begins is
    ///     known to a tenth of a second. In a file it is known.
    func group(isFused: Bool = false, shortest: Duration = .seconds(10)) -> [Int] {
        let first = steps[position]
        let isFile = member.target.url.revealed.hasPrefix("sqlite:")
        let mayJoin = { (step: TenantPlanner.Step) in
            guard step.runbook.isTransactional else { return false }
            guard !isFile else { return !isFused || step.runbook.foreignKeys == first.runbook.foreignKeys }
            return (step.runbook.limits.runbookTimeout ?? shortest) >= shortest
        }
        guard !goesSingly, mayJoin(first) else { return [position] }
        var group = [position]
        for index in (position + 1)..<max(position + 1, steps.count) {
            let step = steps[index]
            if step.decision == .done || step.decision == .notApplicable { continue }
            guard step.decision == .run, mayJoin(step), !isObstructed(step.runbook) else { break }
            group.append(index)
        }
        return group
    }

    /// Whether nothing is run behind these steps.
    func ends(with group: [Int]) -> Bool {
        !steps.suffix(from: (group.last ?? position) + 1).contains { $0.decision == .run }
    }

    /// Whether something that a runbook comes after did not get done.
    func isObstructed(_ runbook: Runbook) -> Bool {
        runbook.after.contains(where: obstacles.contains) || brokenPhase.map { $0 != runbook.phase } == true
    }

    /// null in reports for the workspace's own.
    var tenantName: String? { tenant.id.isEmpty ? nil : tenant.id }

    /// The holder of a lock is looked at when the wait begins, and again in its second half.
    func wantsHolder(_ lockWait: Duration) -> Bool {
        guard let waitingSince else { return true }
        return ContinuousClock.now - waitingSince >= lockWait / 2
    }

    mutating func refuseRest() {
        isRefused = true
        isBlocked = true
    }

    /// What becomes of its job when nothing more of it begins: a failure that it had is not hidden by that.
    ///
    /// - Parameter note: by whom and why it was cancelled.
    func cancelled(because note: String) -> JobResult {
        let verdict = JobVerdict.of(outcomes, isBlocked: true)
        let hasFailed = verdict.state != .blocked
        return JobResult(
            job: job, state: hasFailed ? verdict.state : .cancelled, reason: hasFailed ? verdict.reason : .stopped,
            hasDrifted: outcomes.contains { $0.hasDrifted }, message: hasFailed ? nil : note, executions: outcomes,
            durationMS: (ContinuousClock.now - startedAt).milliseconds)
    }

    mutating func take(_ outcome: ExecutionOutcome, of runbook: Runbook) {
        outcomes.append(outcome)
        if !outcome.state.isGood { obstruct(runbook) }
    }

    mutating func obstruct(_ runbook: Runbook) {
        obstacles.insert(runbook.id)
        if brokenPhase == nil { brokenPhase = runbook.phase }
    }
}

/// What a worker answers.
enum WorkAnswer: Sendable {
    case finished(JobResult)
    /// The lock is held by somebody else: try again after a while.
    case busy(Assignment)
    /// The server is away: try again after a while.
    case away(Assignment, Failure)
    /// Another runner has this job now; nothing may be written about it.
    case superseded(Assignment)
}
