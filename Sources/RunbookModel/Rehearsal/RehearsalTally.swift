/// Adds up what was seen in the tenants.
package struct RehearsalTally: Sendable {
    package private(set) var report: RehearsalReport
    private var causes = CauseGrouping()
    private var jobs = JobCounts()
    private var waiting = 0
    private var runbookIndex: [Identity: Int] = [:]
    private var locks: [RelationLockBook.Sight: RehearsalReport.SeenLock] = [:]

    /// - Parameters:
    ///   - report: with the runbooks that are asked about.
    ///   - settled: tenants in which nothing is to be done.
    package init(_ report: RehearsalReport, settled: Int) {
        self.report = report
        jobs.add(.skipped, settled)
        self.report.counts.done = settled
        for (index, runbook) in report.runbooks.enumerated() {
            runbookIndex[Identity(runbook: runbook.id, key: runbook.key)] = index
        }
    }

    package mutating func add(_ tenant: RehearsalReport.RehearsedTenant, _ failures: [Failure]) {
        report.tenants.append(tenant)
        report.failures += failures
        for failure in failures { causes.add(failure) }
        for step in tenant.steps { add(step, isObstructed: tenant.obstacle != nil) }
        for lock in tenant.locks { add(lock) }
        if tenant.tenant != nil { report.counts.add(tenant) }
        switch tenant.obstacle {
        case .leftTransaction?: jobs.add(.unknown)
        case .maxHold?, .stopped?:
            jobs.add(tenant.has(.wouldFail) ? .failed : .cancelled)
        case .busy?, .unreachable?:
            if tenant.has(.wouldFail) {
                jobs.add(.failed)
            } else {
                jobs.add(.blocked)
                waiting += 1
            }
        case nil:
            jobs.add(
                tenant.has(.unknown)
                    ? .unknown : tenant.has(.wouldFail) ? .failed : tenant.has(.blocked) ? .blocked : .succeeded)
        }
    }

    /// The report with its verdict, as apply would answer.
    package func finished(signal: Int32?) -> RehearsalReport {
        var report = report
        let verdict = RunVerdict.of(jobs, lockBlocked: waiting, drifted: 0, signal: signal)
        report.ok = verdict.exit == .done
        report.exitCode = Int(verdict.exit.rawValue)
        report.outcome = verdict.outcome
        report.retryable = verdict.isRetryable
        report.causes = causes.causes
        report.locks = locks.values.sorted {
            ($1.mode.rank, $1.longestHeldMS, $0.relation) < ($0.mode.rank, $0.longestHeldMS, $1.relation)
        }
        return report
    }

    private mutating func add(_ step: RehearsalReport.RehearsedStep, isObstructed: Bool) {
        guard let index = runbookIndex[Identity(runbook: step.runbook, key: step.key)] else { return }
        report.runbooks[index].counts.add(step.state)
        report.runbooks[index].rowsAffected += step.rowsAffected ?? 0
        report.runbooks[index].durationMS += step.durationMS ?? 0
        report.runbooks[index].longestMS = max(report.runbooks[index].longestMS, step.durationMS ?? 0)
        if step.asPlainBuild { report.runbooks[index].asPlainBuild = true }
        if step.state == .notRehearsed, !isObstructed, report.runbooks[index].reason == nil {
            report.runbooks[index].reason = step.reason
        }
    }

    private mutating func add(_ lock: RelationLock) {
        let sight = RelationLockBook.Sight(relation: lock.relation, mode: lock.mode)
        var seen =
            locks[sight]
            ?? RehearsalReport.SeenLock(
                relation: lock.relation, mode: lock.mode, runbook: lock.runbook, blocksReads: lock.mode.blocksReads,
                blocksWrites: lock.mode.blocksWrites)
        seen.tenants += 1
        seen.longestHeldMS = max(seen.longestHeldMS, lock.heldMS)
        locks[sight] = seen
    }
}
