import DatabaseAccess
import LedgerStore
import RunbookModel

/// Hooks around a run and around its tenants.
extension RunbookService {
    /// Starts a hook on a worker's thread, and writes how it ended.
    ///
    /// - Returns: nil when that could not be written: somebody will start it again.
    @discardableResult
    func start(
        _ order: HookOrder, on worker: Worker, _ context: RunContext, _ desk: LedgerDesk
    ) async -> RunHookVerdict? {
        let run = RunHookRun(
            order: order, manifest: context.manifest, mask: context.mask, stop: context.stop, phase: context.phase
        ) { group in
            // Not from the worker's thread, which waits for the hook.
            Task.detached { await desk.note(group, of: order) }
        }
        let verdict = await worker.run(run)
        return await desk.take(verdict, of: order) ? verdict : nil
    }

    /// Works on a tenant between its hooks, if it has any and something is to be run there.
    func attended(
        _ given: Assignment, _ worker: Worker, _ context: RunContext, _ desk: LedgerDesk
    ) async -> WorkAnswer {
        var assignment = given
        let isSurrounded = context.manifest.hooks.surroundTenants && !assignment.tenant.id.isEmpty
        guard isSurrounded, assignment.isAttended || assignment.steps.contains(where: { $0.decision == .run }) else {
            return await worker.work(on: assignment)
        }
        if !assignment.isAttended, let command = context.manifest.hooks[.beforeTenant] {
            guard let order = await desk.order(.beforeTenant, for: assignment) else {
                return .finished(assignment.givenBack(nil))
            }
            assignment.isAttended = true
            guard let verdict = await start(order, on: worker, context, desk) else {
                return .finished(assignment.givenBack(nil))
            }
            if let result = assignment.result(of: verdict, command) {
                return .finished(await closed(assignment, result, worker, context, desk))
            }
        }
        assignment.isAttended = true
        switch await worker.work(on: assignment) {
        case .finished(let result): return .finished(await closed(assignment, result, worker, context, desk))
        case let answer: return answer
        }
    }

    /// Starts the hook behind a tenant's work. It changes nothing about what became of that.
    ///
    /// - Returns: the result as it was given; where the hook could not be started, or its end not be written, the job
    ///   goes back, so that somebody starts the hooks again.
    func closed(
        _ assignment: Assignment, _ result: JobResult, _ worker: Worker, _ context: RunContext, _ desk: LedgerDesk
    ) async -> JobResult {
        let isGivenBack = result.state == .queued && result.nextStage == nil
        let outcome = isGivenBack ? JobState.cancelled : result.state == .queued ? .succeeded : result.state
        guard context.manifest.hooks[.afterTenant] != nil else { return result }
        guard let order = await desk.order(.afterTenant, for: assignment, outcome: outcome.rawValue),
            let verdict = await start(order, on: worker, context, desk), verdict != .interrupted
        else { return assignment.givenBack(result) }
        return result
    }

    /// What comes behind the end of the run.
    func finish(_ context: RunContext, _ desk: LedgerDesk) async throws(ServiceError) -> [HookReport] {
        if context.manifest.hooks.hasFinal {
            context.stop.resume()
            await beating(desk) {
                let worker = Worker(number: 1, context: context)
                while let order = await desk.finalHook() { await start(order, on: worker, context, desk) }
                await worker.close()
            }
        }
        guard !context.manifest.hooks.isEmpty else { return [] }
        return try await desk.leave()
    }

    /// Sees to the last hooks of earlier runs of the same identity, whose runners died before that.
    func finishEarlier(
        _ identity: String, _ desk: LedgerDesk, _ context: (_ run: String, _ runner: String) async -> RunContext
    ) async throws(ServiceError) -> [HookReport] {
        var reports: [HookReport] = []
        for run in try await desk.runsWithDueHooks(identity) {
            let runner = RunID.make()
            try await desk.attend(to: run, runner: runner)
            reports += try await finish(await context(run, runner), desk)
            await desk.turnBack()
        }
        return reports
    }
}

extension Assignment {
    /// The job as it goes back to the queue, with what was done in it.
    func givenBack(_ result: JobResult?) -> JobResult {
        JobResult(job: job, state: .queued, executions: result?.executions ?? outcomes)
    }

    /// What a job becomes when the hook before it did not pass; nil when it did.
    fileprivate func result(of verdict: RunHookVerdict, _ command: HookCommand) -> JobResult? {
        switch verdict {
        case .passed: return nil
        case .interrupted: return givenBack(nil)
        case .failed(75, let message, _):
            return JobResult(job: job, state: .blocked, reason: .lock, message: message, executions: outcomes)
        case .failed(_, let message, let output):
            var result = JobResult(
                job: job, state: .failed, message: message, executions: outcomes,
                durationMS: (ContinuousClock.now - startedAt).milliseconds)
            result.hookFailure = Failure(
                tenant: tenant.id, runbook: nil, key: nil, state: ExecutionState.failed.rawValue, clean: true,
                message: message, detail: output, file: command.arguments.first)
            return result
        }
    }
}
