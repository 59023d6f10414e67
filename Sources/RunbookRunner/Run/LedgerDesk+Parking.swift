import LedgerStore
import RunbookModel

/// Tenants whose lock or server is waited for.
extension LedgerDesk {
    /// The lock is busy: after `lock_wait` the job is blocked, before that it is tried again after a growing while.
    func park(_ busy: Assignment) {
        var assignment = busy
        let now = ContinuousClock.now
        let since = assignment.waitingSince ?? now
        assignment.waitingSince = since
        let runbook = assignment.steps[assignment.position].runbook
        let limit = lockWait ?? runbook.limits.lockWait
        // Also when the wait is over: on a slow machine its second half may pass between two looks. What was told to
        // end gets a moment for it. What has failed is not waited for.
        if let holder = assignment.holder, holder.hasFailed || now - since >= limit / 2,
            holder != assignment.ended?.holder, mayEnd(holder)
        {
            assignment.endsHolder = holder
            assignment.ended = (holder, now)
            parked.append((assignment, now))
            return
        }
        let isGoing = assignment.ended.map { now - $0.at < .seconds(2) } ?? false
        guard now - since < limit || isGoing else {
            conclude(
                assignment,
                JobResult(
                    job: assignment.job, state: .blocked, reason: .lock,
                    message: assignment.isFileBusy
                        ? "another program kept the tenant's file locked for \(DurationText.text(limit))"
                        : "the \(runbook.shared ? "workspace" : "tenant")'s lock was not free within \(DurationText.text(limit))",
                    executions: assignment.outcomes))
            return
        }
        if now == since {
            let holder = assignment.isFileBusy ? "another program" : assignment.holder?.application
            events?.send(.waitingLock(tenant: assignment.tenantName, holder: holder))
        }
        let waited = (now - since).seconds
        let pause = min(1.0, max(0.02, waited / 4)) * Double.random(in: 0.7...1.3)
        parked.append((assignment, now + min(.seconds(pause), max(limit - (now - since), .milliseconds(50)))))
    }

    /// Its server went away: it is tried again for a while, then the job is blocked.
    func park(_ away: Assignment, because failure: Failure) {
        var assignment = away
        let now = ContinuousClock.now
        let since = assignment.awaySince ?? now
        assignment.awaySince = since
        // What comes next asks for the lock first: the lost connection's work may still go on.
        if assignment.hasLostTry { assignment.waitingSince = assignment.waitingSince ?? now }
        let isRefused = TransientCause(sqlState: failure.sqlstate) == .tooManyConnections
        if isRefused { takeRefusal() }
        // A full server is not away: it is waited for as long as a lock.
        let patience = isRefused ? lockWait ?? assignment.steps[assignment.position].runbook.limits.lockWait : patience
        guard now - since < patience else {
            conclude(
                assignment,
                JobResult(
                    job: assignment.job, state: .blocked, reason: .lock, message: failure.message,
                    executions: assignment.outcomes))
            return
        }
        if now == since { events?.send(.message("\(assignment.tenant.id): \(failure.message); trying again")) }
        let pause = min(2.0, max(0.1, (now - since).seconds / 2)) * Double.random(in: 0.7...1.3)
        parked.append((assignment, now + min(.seconds(pause), patience - (now - since))))
    }
}
