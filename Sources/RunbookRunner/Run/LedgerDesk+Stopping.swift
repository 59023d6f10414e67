import DatabaseAccess
import Groundwork
import LedgerStore
import RunbookModel

/// Runs that a rule stops.
extension LedgerDesk {
    /// - Parameters:
    ///   - rules: of each wave, at least one.
    ///   - ceilings: how many tenants of each wave this runner works on at once.
    func watch(_ rules: [StopRule], ceilings: [Int]) throws(ServiceError) {
        self.rules = rules
        self.ceilings = ceilings
        // What is claimed when the run is stopped by somebody else is begun all the same, until that is noticed.
        if rules.contains(where: \.isInForce) {
            chunk = min(32, ceilings.max() ?? 32)
            largestChunk = chunk
        }
        sharedPlaces = fleet?.plan.sharedPlaces ?? []
        livesElsewhere = fleet?.livesElsewhere ?? false
        guard run?.joined == true else {
            room = ConnectionRoom(share: aloneShare)
            return
        }
        room = ConnectionRoom(share: 0)
        do throws(DatabaseError) { try shareConnections() } catch { throw serviceError(error) }
    }

    /// Makes or joins the run. One that was stopped, and whose runner died before its end, is brought to its end first:
    /// this is the next run, and counts from zero.
    func started(
        _ ledger: Ledger, _ fleet: PlannedFleet, _ draft: RunDraft, _ runner: NewRunner
    ) throws(DatabaseError) -> StartedRun? {
        let runbooks = fleet.plan.rollback?.declared ?? fleet.plan.manifest.runbooks
        let durations = try longTenants(ledger, fleet)
        let deadline = ContinuousClock.now + patience
        while true {
            let run = try ledger.startRun(
                draft, jobs: fleet.jobs(durations), settled: fleet.settledCount, runner: runner, made: expectWorkers
            ) { () throws(DatabaseError) in
                try ledger.keep(
                    tenants: fleet.plan.allTenants.tenants, runbooks: runbooks, pageSize: fleet.plan.pageSize)
            }
            guard let run, run.isStopping else { return run }
            try buryTheDead(of: run.id)
            _ = try ledger.releaseSilentRunners(of: run.id)
            if try ledger.completeRun(run.id) { continue }
            guard ContinuousClock.now < deadline, !stop.isStopping else {
                throw DatabaseError(
                    .busy, "run \(run.id) was stopped, and its last work still goes on; try again when that has ended")
            }
            blockThread(for: .milliseconds(100))
        }
    }

    /// Whether a failure is to be written at once: the rule may be broken by it, here or by what others have seen.
    func isUrgent(_ result: JobResult) -> Bool {
        guard result.hasFailed, !rules.isEmpty else { return false }
        let wave = result.job.stage % rules.count
        let untold = results.count { $0.hasFailed && $0.job.stage % rules.count == wave }
        return rules[wave].isUrgent(untold: untold, since: tallies[wave] ?? FailureTally(), runners: 2)
    }

    /// Gives back what was claimed and has not begun, after the run was stopped.
    func giveBack() {
        gather()
        guard !claimed.isEmpty || !parked.isEmpty else { return }
        results += claimed.map { JobResult(job: $0, state: .queued) }
        for (assignment, _) in parked {
            conclude(assignment, JobResult(job: assignment.job, state: .queued, executions: assignment.outcomes))
        }
        claimed = []
        parked = []
        flush()
    }
}
