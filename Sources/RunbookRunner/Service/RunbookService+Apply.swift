import DatabaseAccess
import FoundationEssentials
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// Does it: makes or joins the run, works until it is over, proves what the ledger holds, and reports.
    ///
    /// Never throws: a pipeline branches on the report's exit code. The last event is the summary with this report.
    package func apply(
        _ manifest: Manifest, _ request: ApplyRequest, events: any EventSink, stop: StopSwitch
    ) async -> Report {
        let startedAt = Date()
        // Until a run is under way there is nothing to finish.
        stop.allow(grace: .zero)
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        var report: Report
        do throws(ServiceError) {
            // On the desk's own thread, or each question would cost two changes of thread.
            report = try await withTaskExecutorPreference(desk.thread) { () async throws(ServiceError) in
                try await applied(manifest, request, events, stop, desk, startedAt)
            }
        } catch {
            report = Self.report(
                of: error, manifest, command: request.command, phase: request.selection.phase, signal: stop.signal,
                startedAt: startedAt)
        }
        await desk.part()
        report.finishedAt = Date()
        report.durationMS = Int((report.finishedAt.timeIntervalSince(startedAt) * 1000).rounded())
        events.send(.summary(report))
        return report
    }

    private func applied(
        _ manifest: Manifest, _ request: ApplyRequest, _ events: any EventSink, _ stop: StopSwitch, _ desk: LedgerDesk,
        _ startedAt: Date
    ) async throws(ServiceError) -> Report {
        let runner = RunID.make()
        await desk.prepare(
            events: events, lockWait: request.lockWait, stop: stop, applicationName: "muster/\(runner)")
        // Reading first: with nothing to do, not even a ledger is made.
        var (fleet, planNotices) = try await insisting(request, events, stop, desk) { () async throws(ServiceError) in
            _ = try await desk.openForReading(mayPrepare: true)
            return try await planned(
                manifest, request.selection, request.expectedTenants, desk, rollback: request.rollback
            ) {
                Self.draft($0, request).identity
            }
        }
        var notices = request.notices + planNotices + Self.notice(ofUnlisted: fleet.unlisted)
        guard !fleet.hasDrifted else { throw ServiceError(.drift, Self.driftMessage(fleet)) }
        try refuseUndoing(fleet)
        if request.retryOf != nil { try await refuseUndecided(&fleet, Self.draft(fleet.plan, request).identity, desk) }
        if let saved = request.plan {
            try await refuseStale(saved, fleet, Self.draft(fleet.plan, request).identity, desk)
        }
        guard fleet.hasWork || fleet.hasOpenRun else {
            var report = try await nothingToRun(fleet, notices, request, desk, startedAt)
            report.unlisted = fleet.unlisted
            return report
        }
        let most = max(1, fleet.unsettledCount)
        let ceilings = fleet.plan.ceilings(request.concurrency, on: .present).map { min($0, most) }
        let draft = Self.draft(fleet.plan, request)
        if request.kind == .rollback { try await desk.refuseOpenRun(besides: .rollback) }
        try await desk.refuseSharedSessions(fleet)
        guard !stop.isStopping else { throw ServiceError(.interrupted, "stopped before anything was begun") }
        try await desk.openForWriting()
        let host = ProcessInfo.processInfo.hostName
        await desk.surround(by: manifest.hooks, host: host, release: request.release)
        let (place, dialect) = (await desk.place, await desk.dialect)
        let context = { (run: String, runner: String) in
            RunContext(
                manifest: manifest, stages: fleet.plan.stages, run: run, runner: runner, host: host, opener: opener,
                ledgerPlace: place, ledgerDialect: dialect, mask: Self.mask(manifest), events: events, stop: stop,
                lockWait: request.lockWait, phase: request.selection.phase, board: desk.board,
                cancelled: desk.cancelled)
        }
        var hooks: [HookReport] = []
        if manifest.hooks.hasFinal {
            stop.allow(grace: request.grace)
            hooks = try await finishEarlier(draft.identity, desk, context)
            guard !stop.isStopping else { throw ServiceError(.interrupted, "stopped before anything was begun") }
            stop.allow(grace: .zero)
        }
        // Another runner may have finished it all since.
        let begun = try await desk.begin(
            fleet, draft: draft, host: host, runner: runner, rules: fleet.plan.stopRules(request.maxFailures),
            ceilings: ceilings)
        guard let (run, leftBehind) = begun else {
            let again = try await desk.plan(fleet.plan)
            if let saved = request.plan { try await refuseStale(saved, again, draft.identity, desk) }
            return try await nothingToRun(again, notices, request, desk, startedAt).taking(hooks)
        }
        stop.allow(grace: request.grace)
        events.send(
            .runStarted(
                run: run.id, joined: run.joined, tenants: fleet.plan.tenants.count,
                runbooks: fleet.plan.runbooks.count))
        notices += leftBehind.map {
            "Hooks behind the end of run \($0) were not started, or not seen to end, and the manifest has changed since."
        }
        try await desk.takeShare()
        let runContext = context(run.id, runner)
        let workers = (1...max(1, ceilings.max() ?? 1)).map { Worker(number: $0, context: runContext) }
        await work(workers, runContext, desk)
        try await desk.end()
        hooks += try await finish(runContext, desk)
        if let notice = await desk.seal() { notices.append(notice) }
        var report = try await desk.report(
            fleet, run: run, notices: notices, request: request, signal: stop.signal, startedAt: startedAt
        ).taking(hooks)
        report.unlisted = fleet.unlisted
        if let notice = await desk.fold() { report.notices.append(notice) }
        return report
    }

    /// Tries for a short while, at most as long as for a lock: the ledger's server, or the one that knows the tenants, may
    /// just be starting again.
    private func insisting<Answer>(
        _ request: ApplyRequest, _ events: any EventSink, _ stop: StopSwitch, _ desk: LedgerDesk,
        _ question: () async throws(ServiceError) -> Answer
    ) async throws(ServiceError) -> Answer {
        let limit = min(request.lockWait ?? .seconds(15), .seconds(15))
        let deadline = ContinuousClock.now + limit
        var tries = 0
        while true {
            do throws(ServiceError) { return try await question() } catch {
                await desk.close()
                guard error.code == .unreachable, !stop.isStopping, ContinuousClock.now < deadline else { throw error }
                tries += 1
                if tries == 1 {
                    events.send(.message("\(error.message); trying again for \(DurationText.text(limit))"))
                }
                let pause = RetryDecision.delay(afterTry: min(tries, 4), random: .random(in: 0...1))
                do { try await Task.sleep(for: min(pause, deadline - .now)) } catch { continue }
            }
        }
    }

    /// Workers take assignments until there are none; beside them the runner's heart beats.
    private func work(_ workers: [Worker], _ context: RunContext, _ desk: LedgerDesk) async {
        await beating(desk) {
            await withTaskGroup(of: Void.self) { group in
                for (index, worker) in workers.enumerated() {
                    let number = index + 1
                    group.addTask(executorPreference: worker.executor) {
                        var answer: WorkAnswer?
                        while let work = await next(for: number, after: answer, context, desk) {
                            answer = nil
                            switch work {
                            case .tenant(let assignment):
                                let end = await attended(assignment, worker, context, desk)
                                if case .finished(let result) = end {
                                    context.events.send(
                                        .tenantFinished(
                                            tenant: assignment.tenantName, state: result.state,
                                            durationMS: result.durationMS))
                                }
                                answer = end
                            case .gate(let question):
                                await desk.take(worker.ask(question), to: question)
                            case .hook(let order): await start(order, on: worker, context, desk)
                            case .closing(let assignment, let result):
                                answer = .finished(await closed(assignment, result, worker, context, desk))
                            case .rest:
                                await worker.close()
                                await desk.rested(number)
                            }
                        }
                        await worker.leave(isOver: desk.hasCompleted)
                    }
                }
            }
        }
    }

    /// What a worker does next: from the tray, else the desk says.
    private func next(
        for worker: Int, after answer: WorkAnswer?, _ context: RunContext, _ desk: LedgerDesk
    ) async -> Work? {
        guard let answer, !context.stop.isStopping, let (assignment, isLow) = desk.tray.exchange(answer) else {
            return await desk.next(for: worker, after: answer)
        }
        if isLow { Task(executorPreference: desk.thread) { await desk.restock() } }
        return .tenant(assignment)
    }

    /// Lets the runner's heart beat meanwhile.
    func beating(_ desk: LedgerDesk, _ body: () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    do { try await Task.sleep(for: .milliseconds(Failpoint.setting("MUSTER_BEAT", 2000))) } catch {
                        return
                    }
                    await desk.beat()
                }
            }
            await body()
            group.cancelAll()
        }
    }

    /// An older manifest over a newer ledger does nothing again; people should know that they look at one.
    static func notice(ofUnlisted unlisted: [String]) -> [String] {
        guard !unlisted.isEmpty else { return [] }
        let names = unlisted.prefix(3).joined(separator: ", ")
        let more = unlisted.count > 3 ? " and \(unlisted.count - 3) more" : ""
        let runbooks = unlisted.count == 1 ? "1 identity" : "\(unlisted.count) identities"
        return [
            "The ledger has \(runbooks) that this manifest does not list (\(names)\(more)): a newer manifest ran here, or "
                + "they were taken out since. Nothing of them was run again or undone."
        ]
    }

    /// No run row, no hook, no write: the report says what stands in the way, or that all is done.
    private func nothingToRun(
        _ fleet: PlannedFleet, _ notices: [String], _ request: ApplyRequest, _ desk: LedgerDesk, _ startedAt: Date
    ) async throws(ServiceError) -> Report {
        let manifest = fleet.plan.manifest
        var counts = JobCounts()
        counts.add(.skipped, fleet.settledCount)
        var all = counts
        for outlook in fleet.outlooks {
            let state: JobState = outlook.has(.unknown) ? .unknown : .blocked
            all.add(state, outlook.count)
            if !outlook.isOfWorkspace { counts.add(state, outlook.count) }
        }
        let verdict = RunVerdict.of(all, lockBlocked: 0, drifted: 0, signal: nil)
        var report = Report(
            command: request.command, ok: verdict.exit == .done, exitCode: Int(verdict.exit.rawValue),
            outcome: verdict.outcome, nothingToDo: fleet.unsettledCount == 0, workspace: manifest.workspace,
            phase: request.selection.phase, counts: counts, notices: notices, startedAt: startedAt,
            finishedAt: startedAt, durationMS: 0)
        let unknown = fleet.counts { $0 == .unknown }
        let blocked = fleet.counts { $0 == .blocked }
        report.runbooks = fleet.plan.runbooks.map { runbook in
            var summary = Report.RunbookSummary(id: runbook.id, key: runbook.key, checksum: runbook.checksum)
            let total = runbook.scope == .workspace ? 1 : fleet.plan.tenants.count
            let (unknown, blocked) = (unknown[runbook.identity] ?? 0, blocked[runbook.identity] ?? 0)
            summary.counts.add(.unknown, unknown)
            summary.counts.add(.blocked, blocked)
            summary.counts.add(.skipped, max(0, total - unknown - blocked))
            return summary
        }
        if fleet.plan.rollback?.run != nil { report.runbooks.removeAll { $0.counts.skipped == $0.counts.total } }
        if fleet.unsettledCount > 0 {
            report.failures = try await desk.standingFailures()
            report.causes = CauseGrouping(report.failures).causes
        }
        return report
    }

    static func report(
        of error: ServiceError, _ manifest: Manifest, command: String, phase: String?, signal: Int32?, startedAt: Date
    ) -> Report {
        var exit = error.exitStatus
        if let signal { exit = exit.merged(with: signal == 2 ? .interrupted : .terminated) }
        let mask = mask(manifest)
        return Report(
            command: command, ok: false, exitCode: Int(exit.rawValue),
            outcome: signal != nil ? .cancelled : exit == .tryAgain ? .blocked : .failed,
            retryable: signal != nil || error.exitStatus == .tryAgain,
            workspace: manifest.workspace, phase: phase,
            error: ReportError(code: error.code.rawValue, message: mask.text(error.message)), startedAt: startedAt,
            finishedAt: startedAt, durationMS: 0)
    }

    static func mask(_ manifest: Manifest) -> SecretMask { SecretMask(manifest.source.secrets) }

    private static func draft(_ plan: FleetPlan, _ request: ApplyRequest) -> RunDraft {
        let manifest = plan.manifest
        let selection = request.selection
        let selected = RetryScope.words(
            of: selection, retryOf: request.retryOf, naming: request.narrowing.tenants, undoing: request.rollback?.run)
        var parts = [manifest.workspace, selection.phase ?? "", selected, manifest.source.digest]
        if let rollback = request.rollback {
            parts += ["rollback", rollback.run ?? "", rollback.takesBaselined ? "baselined" : ""]
        }
        // Each part with its length: no two lists of parts make one text.
        let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
        var draft = RunDraft(
            identity: Checksum.of(text), kind: request.kind, undoes: request.rollback?.run, phase: selection.phase,
            selection: selected, stages: plan.stages.count,
            waves: plan.waves.map(\.name), source: manifest.source, release: request.release,
            revision: request.revision, door: request.door,
            initiator: request.initiator, hasFinalHooks: manifest.hooks.hasFinal)
        draft.plan = request.plan?.fingerprint
        draft.retryOf = request.retryOf
        return draft
    }
}
