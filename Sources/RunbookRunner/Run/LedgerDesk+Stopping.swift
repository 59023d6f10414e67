import DatabaseAccess
import Groundwork
import LedgerStore
import RunbookModel

/// Runs that a rule stops.
extension LedgerDesk {
    /// Takes up what the run goes by.
    ///
    /// - Parameters:
    ///   - rules: of each wave, at least one.
    ///   - ceilings: how many tenants of each wave this runner works on at once.
    func watch(_ fleet: PlannedFleet, _ rules: [StopRule], ceilings: [Int]) {
        self.fleet = fleet
        self.rules = rules
        self.ceilings = ceilings
        // What is claimed when the run is stopped by somebody else is begun all the same, until that is noticed.
        if rules.contains(where: \.isInForce) {
            chunk = min(32, ceilings.max() ?? 32)
            largestChunk = chunk
        }
        sharedPlaces = fleet.plan.sharedPlaces
        livesElsewhere = fleet.livesElsewhere
    }

    /// Takes this runner's share of connections.
    func takeShare() throws(ServiceError) {
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
        var long = longTenants(ledger, fleet)
        var durations: [String: Int] = [:]
        func jobs(_ seen: [String: Int]) -> some Sequence<LedgerScope> { fleet.jobs(long == nil ? durations : seen) }
        // Where nothing has to pass before, and no place wants its tenants one by one.
        let first = isOpening || !sharedPlaces.isEmpty ? 0 : chunk
        let deadline = ContinuousClock.now + patience
        while true {
            let run = try ledger.startRun(
                draft, jobs: jobs, settled: fleet.settledCount, long: long, runner: runner, claiming: first,
                made: expectWorkers
            ) { () throws(DatabaseError) in
                try ledger.keep(
                    tenants: fleet.plan.allTenants.tenants, runbooks: runbooks, pageSize: fleet.plan.pageSize)
            }
            guard let run, run.isStopping else { return run }
            // Once is enough: it may have much to read.
            if long != nil { (long, durations) = (nil, run.durations) }
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
