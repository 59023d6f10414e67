import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Makes or joins the run. nil when, asked again inside the transaction, nothing is left to do.
    ///
    /// - Returns: with it, the runs that a newer manifest has left behind and whose last hooks are not started any more.
    func begin(
        _ fleet: PlannedFleet, draft: RunDraft, host: String, runner: String, rules: [StopRule], ceilings: [Int]
    ) throws(ServiceError) -> (run: StartedRun, leftBehind: [String])? {
        watch(fleet, rules, ceilings: ceilings)
        var leftBehind: [String] = []
        let run = try asking { ledger throws(DatabaseError) -> StartedRun? in
            let key = try takeKey(of: runner)
            try Failpoint.reach(.addRunner, .before)
            let runner = NewRunner(
                id: runner, host: host, pid: Int(ProcessInfo.processInfo.processIdentifier), lockKey: key,
                connections: reserved + aloneShare)
            let run = try started(ledger, fleet, draft, runner)
            try Failpoint.reach(.addRunner, .after)
            if let run, run.leavesBehind { leftBehind = try ledger.closeRunsLeftBehind(by: draft, run: run.id) }
            return run
        }
        if let other = run?.waitsFor { throw Self.waiting(for: other, draft.kind) }
        if run?.isStale == true {
            throw ServiceError(
                .stalePlan, "Somebody has done some of the plan just now. Nothing was touched. Make a new plan.")
        }
        self.run = run
        self.runner = runner
        if let claimed = run?.claimed, !claimed.isEmpty { noteClaim(of: claimed, limit: chunk) }
        return run.map { ($0, leftBehind) }
    }

    /// Takes what a worker answers, and says what it does next; waits for it. nil when the run is over for this runner.
    ///
    /// - Parameters:
    ///   - worker: its number, from 1.
    ///   - answer: to what it did last, if it was a tenant's work. Both in one visit: each costs two changes of thread.
    func next(for worker: Int, after answer: WorkAnswer?) async -> Work? {
        if let answer { take(answer) }
        while true {
            let seen = wakes
            gather()
            if let (assignment, result) = closing.popLast() {
                underWay += 1
                return .closing(assignment, result)
            }
            if isOver || stop.isStopping { break }
            if stopReason == nil {
                guard mayWork(worker) else {
                    if holding.contains(worker) { return .rest }
                    await sleep(.milliseconds(250), since: seen)
                    continue
                }
                if isOpening {
                    if let order = openRun() {
                        holding.insert(worker)
                        return .hook(order)
                    }
                    if isOpening, !isOver { await sleep(.milliseconds(100), since: seen) }
                    continue
                }
                if let question = openGate {
                    openGate = nil
                    isAskingGate = true
                    holding.insert(worker)
                    return .gate(question)
                }
                if let assignment = ready() {
                    holding.insert(worker)
                    deal()
                    return .tenant(assignment)
                }
                let quiet = quietUntil - ContinuousClock.now
                if isFull || quiet > .zero {
                    await sleep(isFull ? .milliseconds(250) : quiet, since: seen)
                    continue
                }
            }
            let pause = lookAround()
            if isOver { break }
            if let pause { await sleep(pause, since: seen) }
        }
        return nil
    }

    private func take(_ answer: WorkAnswer) {
        underWay -= 1
        switch answer {
        case .finished(let result):
            results.append(result)
            if results.count >= max(64, chunk) || isUrgent(result) { flush() }
        case .busy(let assignment): park(assignment)
        case .away(let assignment, let failure): park(assignment, because: failure)
        case .superseded(let assignment):
            // Written only if the job is ours after all: a receipt with a later fence may be another run's.
            results.append(JobResult(job: assignment.job, state: .queued))
        }
        wake()
    }

    /// Says that this runner lives; called every two seconds.
    func beat() {
        guard run != nil, !isOver || isFinishing else { return }
        gather()
        defer { deal() }
        flush()
        do throws(DatabaseError) {
            try insisting { ledger throws(DatabaseError) in
                if !holdsKey { _ = try takeKey(of: runner) }
                try ledger.beat(runner)
            }
            guard !isFinishing else { return }
            try lookForReservation()
            try shareConnections()
            try noticeCancelling()
        } catch { fail(error) }
        writeNews()
    }

    /// Writes how far backfills have come; what counts stands in the tenants.
    private func writeNews() {
        let news = board.take()
        guard let run, !news.isEmpty else { return }
        do throws(DatabaseError) {
            try insisting { ledger throws(DatabaseError) in try ledger.write(news, run: run.id, runner: runner) }
        } catch { fail(error) }
    }

    /// Writes what is left, gives unbegun work back, and says goodbye.
    func end() throws(ServiceError) {
        gather()
        // The hook behind them is still to come.
        results += closing.map { $0.assignment.givenBack($0.result) }
        closing = []
        for (assignment, _) in parked {
            results.append(JobResult(job: assignment.job, state: .queued, executions: assignment.outcomes))
        }
        parked = []
        flush()
        if let run, !hasCompleted, ledger?.session.isUsable == true {
            try asking { ledger throws(DatabaseError) in
                try ledger.endRunner(runner, run: run.id)
            }
            // Also after a signal: the last job may have ended just then.
            try completeIfDone()
        }
        if let problem { throw problem }
    }

    // MARK: Finding work

    /// Work that is at hand: a parked one whose time has come, else a claimed one, else a new claim.
    private func ready() -> Assignment? {
        guard mayBegin(at: claimed.first?.stage ?? parked.first?.assignment.job.stage ?? stage) else { return nil }
        let now = ContinuousClock.now
        if let index = parked.firstIndex(where: { $0.at <= now && hasRoom(at: $0.assignment.job.stage) }) {
            underWay += 1
            return parked.remove(at: index).assignment
        }
        if claimed.isEmpty { claim() }
        while let first = claimed.first, hasRoom(at: first.stage), mayBegin(at: first.stage) {
            let job = claimed.removeFirst()
            guard let assignment = fleet?.assignment(job) else {
                if let result = stranger(job) { results.append(result) }
                continue
            }
            underWay += 1
            return assignment
        }
        return nil
    }

    /// A job of a tenant that this runner's source does not list: another runner's source may; with no other runner
    /// alive, the tenant is gone since the run began.
    private func stranger(_ job: ClaimedJob) -> JobResult? {
        guard let run else { return nil }
        do throws(DatabaseError) {
            let others = try insisting { ledger throws(DatabaseError) in
                try ledger.countOtherRunners(of: run.id, than: runner)
            }
            guard others == 0 else {
                holdsBack = .now + .milliseconds(250)
                return JobResult(job: job, state: .queued)
            }
        } catch {
            fail(error)
            return nil
        }
        return JobResult(job: job, state: .skipped, message: "the tenant is no longer in the source")
    }

    private func claim() {
        guard ContinuousClock.now >= holdsBack, !isDrained, mayLook else { return }
        flush()
        fetch(limit: chunk)
    }

    /// Idle workers ask together; one answer serves them all for a moment. What is under way here brings no other work
    /// before its end.
    private var mayLook: Bool { underWay == 0 || ContinuousClock.now - lastLook > Self.pause }
    private static let pause = Duration.milliseconds(100)

    /// Claims so many jobs, or as many as there are. Nothing that is claimed may be waiting.
    func fetch(limit: Int) {
        guard let run else { return }
        let now = ContinuousClock.now
        // What lasts longer stays small: others may want to share it.
        if (now - lastClaim) * chunk < .milliseconds(75) * lastCount { chunk = min(2 * chunk, largestChunk) }
        do throws(DatabaseError) {
            var tries = 0
            let jobs = try insisting { ledger throws(DatabaseError) in
                tries += 1
                if tries > 1 { hasLostClaim = true }
                return try ledger.claimJobs(run: run.id, runner: runner, limit: limit, oneAt: sharedPlaces)
            }
            noteClaim(of: jobs, limit: limit, at: now)
        } catch { fail(error) }
    }

    /// - Parameter limit: how many it was to bring.
    func noteClaim(of jobs: [ClaimedJob], limit: Int, at now: ContinuousClock.Instant = .now) {
        (lastClaim, lastCount) = (now, limit)
        claimed = jobs
        isDrained = !jobs.isEmpty && jobs.count < limit && sharedPlaces.isEmpty
    }

    /// Takes up claims whose answer was lost: with nothing in hand, whatever the ledger says is ours is one of them.
    private func reclaim(_ run: StartedRun) throws(DatabaseError) {
        guard hasLostClaim, underWay == 0, parked.isEmpty, claimed.isEmpty, results.isEmpty else { return }
        claimed = try insisting { ledger throws(DatabaseError) in
            try ledger.claimedJobs(run: run.id, runner: runner)
        }
    }

    /// Nothing is at hand: moves the run on if that is possible, else says how long to wait.
    private func lookAround() -> Duration? {
        guard mayLook, parked.isEmpty || ContinuousClock.now - lastLook > .milliseconds(20) else {
            return .milliseconds(20)
        }
        let hasLooked = lastLook > lastClaim
        lastLook = ContinuousClock.now
        let wasDrained = isDrained
        flush()
        guard let run, !isOver else { return nil }
        // The claim has just said what there is: all of it is under way here.
        if wasDrained, underWay > 0, !hasLooked, parked.isEmpty, claimed.isEmpty { return .milliseconds(20) }
        do throws(DatabaseError) {
            if claimed.isEmpty { try letWorkspaceGo() }
            try reclaim(run)
            guard claimed.isEmpty else { return nil }
            let hasMoved = try insisting { ledger throws(DatabaseError) -> Bool in
                // What was open was under way here, and has ended: mostly the run is complete.
                if wasDrained, underWay == 0, try complete(run.id, in: ledger) { return true }
                guard let progress = try ledger.runProgress(run.id), progress.status != .completed else {
                    try noticeCancelling()
                    isOver = true
                    return true
                }
                stage = progress.stage
                if let reason = progress.stopReason { stopReason = reason }
                if progress.open == 0 {
                    _ = try complete(run.id, in: ledger)
                    return true
                }
                // All that is open is under way here: nothing can be claimed before some of it ends.
                isDrained = progress.open == underWay
                if isDrained { return false }
                if progress.openInStage == 0, progress.stopReason == nil {
                    let hasMoved = try pass(progress.stage, of: run.id, in: ledger)
                    if !hasMoved { try buryTheDead(of: run.id) }
                    return hasMoved
                }
                return try lookForSilence(of: run.id, in: ledger)
            }
            if isOver { wake() }
            if stopReason != nil { giveBack() }
            if hasMoved || wasDrained && !isDrained { return nil }
        } catch {
            fail(error)
            return nil
        }
        let nextParked = parked.map { $0.at - ContinuousClock.now }.min() ?? .seconds(1)
        return min(max(nextParked, .milliseconds(5)), .milliseconds(Int.random(in: 60...140)))
    }

    private func completeIfDone() throws(ServiceError) {
        guard let run, !hasCompleted else { return }
        try asking { ledger throws(DatabaseError) in
            if let progress = try ledger.runProgress(run.id), progress.status != .completed, progress.open == 0 {
                _ = try complete(run.id, in: ledger)
            }
        }
    }

    /// Completes the run, if no job is open, and says goodbye with it.
    private func complete(_ run: String, in ledger: Ledger) throws(DatabaseError) -> Bool {
        guard try ledger.completeRun(run, leaving: runner) else { return false }
        hasCompleted = true
        isOver = true
        return true
    }

    // MARK: Waiting

    /// Sleeps until somebody wakes the sleepers, or that long.
    ///
    /// - Parameter seen: what `wakes` was when the caller last looked: a wake since then ends the sleep at once,
    ///   since a caller that prefers another executor may be put back into the line before it lies down.
    func sleep(_ duration: Duration, since seen: Int) async {
        sleeperNumber += 1
        let number = sleeperNumber
        var alarm: Task<Void, Never>?
        await withCheckedContinuation { sleeper in
            guard wakes == seen else { return sleeper.resume() }
            sleepers[number] = sleeper
            alarm = Task { [weak self] in
                do { try await Task.sleep(for: duration) } catch { return }
                await self?.wake(number)
            }
        }
        alarm?.cancel()
    }

    private func wake(_ number: Int) {
        sleepers.removeValue(forKey: number)?.resume()
    }

    func wake() {
        wakes += 1
        for sleeper in sleepers.values { sleeper.resume() }
        sleepers = [:]
    }

    // MARK: Writing

    func flush() {
        results += tray.takeResults()
        guard let run, !results.isEmpty else { return }
        writeNews()
        let batch = results
        results = []
        do throws(DatabaseError) {
            var tries = 0
            let written = try insisting { ledger throws(DatabaseError) in
                tries += 1
                return try ledger.write(batch, run: run.id, runner: runner, under: rules)
            }
            // Written by a try that was never answered, or taken over: only one try alone tells.
            if tries == 1 { superseded += batch.count - written.count }
            if written.count < batch.count { try noticeCancelling() }
            if written.lost > 0 {
                isDrained = false
                events?.send(
                    .message(
                        "The server has lost what it had not written to its disk: "
                            + "\(written.lost == 1 ? "a tenant is" : "\(written.lost) tenants are") worked on again."))
            }
            tallies.merge(written.tallies) { $1 }
            if let reason = written.stopReason, stopReason == nil {
                stopReason = reason
                giveBack()
            }
        } catch {
            fail(error)
        }
    }

    /// The ledger failed: nothing more is begun; what was not written is found again by the next runner.
    func fail(_ error: DatabaseError) {
        problem = problem ?? serviceError(error)
        isOver = true
        gather()
        wake()
    }
}
