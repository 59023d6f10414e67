import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// Works on one tenant at a time, on a thread and connections of its own.
///
/// Between a lock and its release the code is one synchronous function; only an interrupt crosses threads.
actor Worker {
    private let thread: WorkerThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    private let context: RunContext
    private let connections: WorkerConnections
    private let keys: TenantKeys
    private var serial = 0

    init(number: Int, context: RunContext) {
        thread = WorkerThread(named: "muster-\(number)")
        self.context = context
        connections = WorkerConnections(context: context)
        keys = TenantKeys(workspace: context.manifest.workspace, tenant: "")
    }

    /// Where code that uses the worker is best run: without a change of thread.
    nonisolated var executor: any TaskExecutor { thread }

    /// Goes on with an assignment until it ends, or its lock is busy.
    func work(on given: Assignment) -> WorkAnswer {
        var assignment = given
        if assignment.position == 0, assignment.waitingSince == nil {
            context.events.send(.tenantStarted(tenant: assignment.tenantName))
        }
        while assignment.position < assignment.steps.count, !assignment.isRefused {
            let step = assignment.steps[assignment.position]
            if step.decision == .run, mustStop(assignment) { return .finished(givenBack(assignment)) }
            switch perform(step, &assignment) {
            case .ended: continue
            case .busy: return .busy(assignment)
            case .superseded: return .superseded(assignment)
            case .interrupted: return .finished(givenBack(assignment))
            case .away(let failure):
                return mustStop(assignment) ? .finished(givenBack(assignment)) : .away(assignment, failure)
            case .blocked(let failure):
                return .finished(result(assignment, .blocked, .lock, message: failure.message))
            }
        }
        return .finished(concluded(assignment))
    }

    /// Asks a gate between two waves.
    func ask(_ question: GateQuestion) -> GateAnswer {
        // Its own connection takes their place.
        connections.closeAndWait()
        return GateRun(question: question, context: context).run()
    }

    /// Starts a hook around the run or a tenant. What it works with there may stay open around a tenant.
    func run(_ hook: RunHookRun) -> RunHookVerdict {
        if hook.order.member == nil { connections.closeAndWait() }
        return hook.run()
    }

    /// Closes what it holds, and waits until that is gone.
    func close() { connections.closeAndWait() }

    /// Lets go of what it holds, at its end: at the end of the process where the run is over, else at once. Servers take a
    /// while to part with a session, which is waited for only where hooks may need the room.
    func leave(isOver: Bool) {
        if context.manifest.hooks.hasFinal {
            connections.closeAndWait()
        } else if isOver {
            connections.part()
        } else {
            connections.close()
        }
    }

    private enum StepEnd {
        case ended
        case busy
        case superseded
        case interrupted
        case away(Failure)
        case blocked(Failure)
    }

    /// Takes the next step, or the next few.
    private func perform(_ step: TenantPlanner.Step, _ assignment: inout Assignment) -> StepEnd {
        let runbook = step.runbook
        switch step.decision {
        case .done, .notApplicable: break
        case .blocked, .drifted:
            assignment.isBlocked = true
            assignment.obstruct(runbook)
        case .unknown:
            var failure = runbook.failure(tenant: assignment.tenant.id, step.reason ?? "unknown", clean: false)
            failure.state = ExecutionState.unknown.rawValue
            assignment.take(
                ExecutionOutcome(
                    identity: runbook.identity, checksum: runbook.recordedChecksum, state: .unknown, tries: 0,
                    failure: failure),
                of: runbook)
        case .run where assignment.isObstructed(runbook):
            assignment.isBlocked = true
            assignment.obstruct(runbook)
        case .run: return execute(&assignment)
        }
        assignment.position += 1
        return .ended
    }

    /// Tries the steps that go together from here on, once; the first that must be tried again is where the next try
    /// begins.
    private func execute(_ assignment: inout Assignment) -> StepEnd {
        let group = assignment.group(isFused: context.isFused)
        let began = ContinuousClock.now
        let keys = keys.of(assignment.tenant.id, in: context.manifest.workspace)
        let attempt = Execution(
            parts: group.map { part(assignment.steps[$0], assignment, keys, isFirst: $0 == group.first) },
            tenant: assignment.tenant,
            target: assignment.member.target, context: context, connections: connections,
            isPolling: assignment.waitingSince != nil, claimsInFull: assignment.claimsInFull,
            isDirect: assignment.steps.contains { $0.runbook.needsSession },
            endsJob: context.manifest.hooks[.afterTenant] == nil && assignment.ends(with: group))
        if let holder = assignment.endsHolder {
            assignment.endsHolder = nil
            attempt.end(holder)
        }
        let answer = attempt.run()
        assignment.isOnDisk = answer.isOnDisk
        assignment.goesSingly = assignment.goesSingly || answer.isUnread
        assignment.claimsInFull = assignment.claimsInFull || answer.isUnclear
        var spent = (ContinuousClock.now - began).milliseconds
        for script in answer.scripts {
            let duration = script.milliseconds ?? spent
            spent = max(0, spent - duration)
            let end = take(script.end, of: group[script.index], in: group, &assignment, attempt, duration)
            // The workspace's lock was waited for in there.
            if case .busy = end, attempt.runbook.shared { assignment.waitingSince = assignment.waitingSince ?? began }
            guard case .ended = end, assignment.position > group[script.index] else { return end }
        }
        return .ended
    }

    /// - Parameter group: what was sent together.
    private func take(
        _ given: ActionEnd, of index: Int, in group: [Int], _ assignment: inout Assignment, _ attempt: Execution,
        _ duration: Int
    ) -> StepEnd {
        let runbook = assignment.steps[index].runbook
        let isAllOrNothing = context.isFused && group.count > 1
        if !isAllOrNothing { assignment.position = index }
        assignment.tries += 1
        assignment.isSurveyed = assignment.isSurveyed || given.showsSurvey
        var end = given
        if case .done(let inThisRun) = end, index < assignment.lostEnd || inThisRun {
            // Its COMMIT was answered to nobody, or to one who died.
            if index < assignment.lostEnd { assignment.tries = max(1, assignment.tries - 1) }
            end = .succeeded(rows: nil, output: nil, counted: connections.receiptsAreLocal)
        }
        switch end {
        case .busy:
            assignment.tries -= 1
            assignment.isFileBusy = false
            assignment.holder = assignment.wantsHolder(context.lockWait(of: runbook)) ? attempt.holder() : nil
            return .busy
        case .fileBusy:
            assignment.tries -= 1
            assignment.isFileBusy = true
            assignment.holder = nil
            return .busy
        case .superseded: return .superseded
        case .interrupted: return .interrupted
        case .unreachable(let failure):
            assignment.tries -= 1
            return .away(context.mask.failure(failure))
        case .lost(let failure):
            assignment.lostEnd = (group.last ?? index) + 1
            // Each further try has proved that the one before left nothing; the last one's end the next apply finds.
            guard assignment.tries <= runbook.limits.retries else { return .blocked(context.mask.failure(failure)) }
            return .away(context.mask.failure(failure))
        case .paused(let failure, let fileIsBusy):
            // What was waited for before the batches is over.
            assignment.tries = 0
            assignment.waitingSince = nil
            assignment.awaySince = nil
            assignment.isFileBusy = fileIsBusy
            guard let failure else { return .busy }
            assignment.lostEnd = (group.last ?? index) + 1
            return .away(context.mask.failure(failure))
        case .tryAgain(let failure):
            guard mayRetry(runbook, assignment.tries) else { return .blocked(context.mask.failure(failure)) }
        case .failed(let failure, true, _, _) where mayRetry(runbook, assignment.tries):
            context.events.send(
                .message(
                    "\(assignment.tenant.id): \(runbook.identity): \(context.mask.text(failure.message)); trying again"
                ))
        default:
            conclude(end, runbook, &assignment, duration)
            settle(end, index, isAllOrNothing ? group : [index], &assignment)
        }
        return .ended
    }

    /// Moves on behind a step that has ended. Where all or nothing was to be done, what went with one that did not get
    /// done did not get done either.
    private func settle(_ end: ActionEnd, _ index: Int, _ group: [Int], _ assignment: inout Assignment) {
        switch end {
        case .succeeded: assignment.position = index + 1
        case .done where group.count > 1:
            // Found done by somebody else: the others are sent again without it.
            assignment.steps[index].decision = .done
        case .done: assignment.position = index + 1
        default:
            assignment.position = (group.last ?? index) + 1
            for other in group where other != index {
                assignment.isBlocked = true
                assignment.obstruct(assignment.steps[other].runbook)
            }
        }
    }

    private func mayRetry(_ runbook: Runbook, _ tries: Int) -> Bool {
        guard tries <= runbook.limits.retries, !context.stop.isStopping else { return false }
        context.stop.pause(RetryDecision.delay(afterTry: tries, random: .random(in: 0...1)))
        return !context.stop.isStopping
    }

    private func conclude(_ end: ActionEnd, _ runbook: Runbook, _ assignment: inout Assignment, _ spent: Int) {
        var outcome = ExecutionOutcome(
            identity: runbook.identity, checksum: runbook.recordedChecksum, state: runbook.aim, tries: assignment.tries,
            durationMS: spent)
        switch end {
        case .succeeded(let rows, let output, let counted):
            outcome.rowsAffected = rows
            outcome.output = context.mask.text(output)
            outcome.isRecorded = counted
            outcome.isOnDisk = assignment.isOnDisk
        case .done:
            outcome.wasDone = true
            outcome.tries = 0
            // A remote receipt may be news to the ledger; its own row is not.
            outcome.isRecorded = connections.receiptsAreLocal
        case .failed(let failure, _, let output, let counted):
            outcome.state = .failed
            outcome.failure = context.mask.failure(failure)
            outcome.output = context.mask.text(output)
            outcome.isRecorded = counted
        case .batchFailed(let failure, let rows, let counted):
            outcome.state = .failed
            outcome.rowsAffected = rows
            outcome.failure = context.mask.failure(failure)
            outcome.isRecorded = counted
        case .drifted(let failure, let isOfTenant):
            if isOfTenant { assignment.refuseRest() }
            outcome.state = .failed
            outcome.hasDrifted = true
            outcome.tries = 0
            outcome.failure = context.mask.failure(failure)
            outcome.failure?.state = PlanDecision.drifted.rawValue
        case .unknown(let failure, let output, let counted):
            outcome.state = .unknown
            outcome.failure = context.mask.failure(failure)
            outcome.failure?.state = ExecutionState.unknown.rawValue
            outcome.output = context.mask.text(output)
            outcome.isRecorded = counted
        case .busy, .fileBusy, .paused, .superseded, .interrupted, .unreachable, .lost, .tryAgain: return
        }
        outcome.failure?.attempts = max(1, outcome.tries)
        assignment.take(outcome, of: runbook)
        assignment.tries = 0
        assignment.waitingSince = nil
        assignment.awaySince = nil
        context.events.send(
            .executionFinished(
                tenant: assignment.tenantName, identity: runbook.identity,
                state: outcome.wasDone
                    ? .skipped
                    : outcome.state.isGood ? .succeeded : JobState(rawValue: outcome.state.rawValue) ?? .failed,
                rowsAffected: outcome.rowsAffected ?? 0, durationMS: spent, failure: outcome.failure))
    }

    /// - Parameter isFirst: of those that are sent together: its claim looks at what the ledger holds for all of them.
    private func part(
        _ step: TenantPlanner.Step, _ assignment: Assignment, _ keys: TenantKeys, isFirst: Bool
    ) -> Execution.Part {
        serial += 1
        let ticket = ClaimTicket(
            workspace: context.manifest.workspace, tenant: assignment.tenant.id,
            holdsOneTenant: assignment.member.target.holdsOneTenant, runbook: step.runbook,
            mayRepeat: step.runbook.repeatable || step.runbook.verify != nil || step.runbook.batch != nil,
            run: context.run,
            runner: context.runner, host: context.host, job: assignment.job,
            proven: !isFirst || assignment.isSurveyed || assignment.tenant.id.isEmpty ? nil : assignment.proven,
            mayBeSealed: assignment.sealed?.contains(step.runbook.identity) ?? true,
            token: "\(context.runner)-\(serial)", keys: keys)
        return Execution.Part(step: step, ticket: ticket)
    }

    // MARK: What becomes of the job

    private func concluded(_ assignment: Assignment) -> JobResult {
        let verdict = JobVerdict.of(assignment.outcomes, isBlocked: assignment.isBlocked)
        if let next = assignment.nextStage, verdict.state == .succeeded || verdict.state == .skipped {
            return givenBack(assignment, to: next)
        }
        return result(assignment, verdict.state, verdict.reason)
    }

    /// - Parameter stage: where it goes on; nil where it was.
    private func givenBack(_ assignment: Assignment, to stage: Int? = nil) -> JobResult {
        if let note = context.cancelled.note(assignment.tenant.id) { return assignment.cancelled(because: note) }
        return result(assignment, .queued, nil, nextStage: stage)
    }

    private func mustStop(_ assignment: Assignment) -> Bool {
        context.stop.isStopping || context.cancelled.contains(assignment.tenant.id)
    }

    private func result(
        _ assignment: Assignment, _ state: JobState, _ reason: BlockReason?, message: String? = nil,
        nextStage: Int? = nil
    ) -> JobResult {
        JobResult(
            job: assignment.job, state: state, reason: reason,
            hasDrifted: assignment.outcomes.contains { $0.hasDrifted }, message: message, nextStage: nextStage,
            executions: assignment.outcomes, durationMS: (ContinuousClock.now - assignment.startedAt).milliseconds)
    }
}
