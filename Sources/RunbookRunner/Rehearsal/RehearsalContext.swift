import DatabaseAccess
import LedgerStore
import RunbookModel

/// What every worker of a rehearsal knows; it does not change while it goes on.
struct RehearsalContext: Sendable {
    let manifest: Manifest
    let opener: any SessionOpener
    let stop: StopSwitch
    let lockWait: Duration
    let maxHold: Duration
    let mask: SecretMask
    let wal: LogMeter
    let commits = CommitMeter()

    static let applicationName = "muster/rehearse"

    func keys(of tenant: String) -> TenantKeys { TenantKeys(workspace: manifest.workspace, tenant: tenant) }

    /// Tries until it is true, the time has passed, or we are asked to stop.
    func patiently(_ body: () throws(DatabaseError) -> Bool) throws(DatabaseError) -> Bool {
        let deadline = ContinuousClock.now + lockWait
        while true {
            if try body() { return true }
            guard ContinuousClock.now < deadline, !stop.isStopping else { return false }
            stop.pause(min(.milliseconds(.random(in: 20...100)), deadline - ContinuousClock.now))
        }
    }

    /// Runs `body` for no longer than the locks may be held, and not past a request to stop.
    func limited<Answer>(_ session: any DatabaseSession, _ body: () -> Answer) -> Answer {
        TimeLimit.enforce(maxHold, on: session.interrupter) { _ in
            stop.interrupting(session.interrupter) { body() }
        }.answer
    }

    /// What an error says about the rehearsal, and not about the runbook; nil when it is the runbook's own.
    func obstacle(in error: DatabaseError, deadline: ContinuousClock.Instant) -> RehearsalStepEnd? {
        let message = mask.text(error.message)
        if error.code == .interrupted {
            return stop.isStopping ? .obstacle(.stopped, message) : .obstacle(.maxHold, holdMessage)
        }
        if ContinuousClock.now >= deadline, ["57014", "55P03", "25P03"].contains(error.sqlState) {
            return .obstacle(.maxHold, holdMessage)
        }
        if error.code == .connectionLost || error.code == .unreachable { return .obstacle(.unreachable, message) }
        if error.code == .busy || error.isTransient { return .obstacle(.busy, message) }
        return nil
    }

    static let lockMessage = "the tenant's lock is held by somebody else"

    var holdMessage: String { "stopped after --max-hold (\(DurationText.text(maxHold)))" }
}
