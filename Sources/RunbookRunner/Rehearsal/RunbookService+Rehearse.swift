import DatabaseAccess
import FoundationEssentials
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// Runs what is pending for real, tenant by tenant, and rolls it back. Writes nothing to the ledger and makes none.
    ///
    /// Never throws. What a rollback cannot take back stands in docs/how-to/rehearse.md.
    package func rehearse(
        _ manifest: Manifest, _ request: RehearseRequest, events: any EventSink, stop: StopSwitch
    ) async -> RehearsalReport {
        let startedAt = Date()
        // All of it is rolled back anyway: there is nothing to finish.
        stop.allow(grace: .zero)
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        var report: RehearsalReport
        do throws(ServiceError) {
            report = try await rehearsed(manifest, request, events, stop, desk, startedAt)
        } catch {
            var exit = error.exitStatus
            if let signal = stop.signal { exit = exit.merged(with: signal == 2 ? .interrupted : .terminated) }
            report = RehearsalReport(
                workspace: manifest.workspace, phase: request.selection.phase, startedAt: startedAt)
            report.exitCode = Int(exit.rawValue)
            report.outcome = stop.signal != nil ? .cancelled : exit == .tryAgain ? .blocked : .failed
            report.retryable = stop.signal != nil || exit == .tryAgain
            report.error = ReportError(
                code: error.code.rawValue, message: Self.mask(manifest).text(error.message))
        }
        await desk.close()
        report.sample = request.sample
        report.maxHoldMS = request.maxHold.milliseconds
        report.finishedAt = Date()
        report.durationMS = Int((report.finishedAt.timeIntervalSince(startedAt) * 1000).rounded())
        return report
    }

    private func rehearsed(
        _ manifest: Manifest, _ request: RehearseRequest, _ events: any EventSink, _ stop: StopSwitch,
        _ desk: LedgerDesk, _ startedAt: Date
    ) async throws(ServiceError) -> RehearsalReport {
        await desk.prepare(events: events, lockWait: request.lockWait, stop: stop)
        _ = try await desk.openForReading()
        let (fleet, notices) = try await planned(manifest, request.selection, request.expectedTenants, desk)
        let before = try await Self.durationsBefore(fleet, desk)
        // The ledger is not needed any more, and holds nothing while locks are held elsewhere.
        await desk.close()
        guard !fleet.hasDrifted else { throw ServiceError(.drift, Self.driftMessage(fleet)) }
        var report = RehearsalReport(
            workspace: manifest.workspace, phase: request.selection.phase, startedAt: startedAt)
        report.notices = notices
        report.nothingToDo = fleet.unsettledCount == 0
        report.runbooks = fleet.plan.runbooks.map { .init(id: $0.id, key: $0.key, phase: $0.phase) }
        let all = fleet.unsettled.map { (place: $0.place, outlook: $0.outlook) }
        let chosen = Self.sample(request.sample, of: all.map { fleet.plan.tenantID(at: $0.place) })
        let plans = Self.plans(fleet, manifest)
        report.counts.notInSample = all.count - chosen.count
        var tally = RehearsalTally(report, settled: fleet.settledCount)
        let wal = LogMeter()
        let context = RehearsalContext(
            manifest: manifest, opener: opener, stop: stop, lockWait: request.lockWait, maxHold: request.maxHold,
            mask: Self.mask(manifest), wal: wal)
        let count = WorkerCount.of(
            wanted: request.concurrency ?? manifest.concurrency.tenants, perServer: manifest.concurrency.perServer,
            areFiles: manifest.tenants.areFiles, on: .present)
        let queue = RehearsalQueue(count: chosen.count)
        let hooks = HookRehearsals(context, phase: request.selection.phase)
        let own = RehearsalWorker(number: 1, context: context)
        if !chosen.isEmpty { await hooks.start(.beforeRun, on: own) }
        await withTaskGroup(of: Void.self) { workers in
            for number in 1...max(1, min(count, chosen.count)) {
                let worker = RehearsalWorker(number: number, context: context)
                workers.addTask(executorPreference: worker.executor) {
                    while let index = queue.next() {
                        let (place, outlook) = all[chosen[index]]
                        let member = fleet.plan.member(at: place)
                        let isFile = member.target.url.revealed.hasPrefix("sqlite:")
                        let plan = plans[outlook][isFile ? 1 : 0]
                        await hooks.start(.beforeTenant, for: member, on: worker)
                        let answer = await worker.rehearse(plan, in: member)
                        let outcome: JobState = answer.failures.isEmpty ? .succeeded : .failed
                        await hooks.start(.afterTenant, for: member, outcome: outcome.rawValue, on: worker)
                        let ended = queue.take(answer, at: index)
                        if ended % 100 == 0 { events.send(.message("\(ended) of \(queue.count) rehearsed.")) }
                    }
                    await worker.close()
                }
            }
        }
        var figures = RehearsalFigures()
        for answer in queue.answers {
            tally.add(answer.tenant, answer.failures)
            figures.add(answer.course, beside: answer.beside, cost: answer.cost, waitsAtEnd: answer.waitsAtEnd)
        }
        var finished = tally.finished(signal: stop.signal)
        finished.wal = wal.written
        finished.notices += context.commits.refusals.sorted { $0.key < $1.key }.map { server, message in
            "What a commit costs on \(server) could not be measured, and is not in the estimate: "
                + context.mask.text(message) + "."
        }
        finished.estimate = Self.estimate(fleet, figures, before, request.concurrency)
        if !chosen.isEmpty {
            let outcome = finished.outcome.rawValue
            if finished.outcome != .succeeded { await hooks.start(.onFailure, outcome: outcome, on: own) }
            await hooks.start(.afterRun, outcome: outcome, on: own)
            finished = hooks.taking(finished)
        }
        await own.close()
        if finished.ok, !finished.nothingToDo { finished.next = Self.applyCommand(manifest, request.selection) }
        return finished
    }

    /// What took how long before of all that cannot be rehearsed, or not as apply does it.
    private static func durationsBefore(
        _ fleet: PlannedFleet, _ desk: LedgerDesk
    ) async throws(ServiceError) -> [Identity: SeenDuration] {
        let pending = fleet.pending
        let isMissing = fleet.plan.runbooks.contains {
            pending[$0.identity] != nil && $0.kindNotRehearsable(isFile: true) != nil
        }
        return isMissing ? try await desk.durations(fleet) : [:]
    }

    /// What apply would take; nil where nothing was run for real. A dry run says nothing about the hook's own time: like all
    /// that is not rehearsed, it has the figure of the ledger, if there is one.
    private static func estimate(
        _ fleet: PlannedFleet, _ figures: RehearsalFigures, _ before: [Identity: SeenDuration], _ concurrency: Int?
    ) -> DeployEstimate? {
        guard !figures.isEmpty else { return nil }
        var means: [Identity: Duration] = [:]
        for runbook in fleet.plan.runbooks {
            let identity = runbook.identity
            let seen = before[identity].map { Duration.milliseconds($0.meanMS) }
            let rehearsed = figures.mean(of: identity)
            means[identity] = runbook.isRehearsedAsPlainBuild ? seen ?? rehearsed : rehearsed ?? seen
        }
        return fleet.estimate(concurrency, pending: fleet.pending, means: means, beside: figures.meanBeside)
    }

    /// The workspace's own place is in every sample.
    private static func sample(_ count: Int?, of tenants: [String]) -> [Int] {
        guard let count else { return Array(tenants.indices) }
        let isOwn = tenants.last == ""
        let names = isOwn ? Array(tenants.dropLast()) : tenants
        return StableSample.positions(of: names, count: count) + (isOwn ? [tenants.count - 1] : [])
    }

    /// For each outlook what can be rehearsed, on a server and in a file.
    private static func plans(_ fleet: PlannedFleet, _ manifest: Manifest) -> [[RehearsalPlan]] {
        func pending(_ isOfWorkspace: Bool) -> Set<String> {
            Set(
                fleet.outlooks.filter { $0.isOfWorkspace == isOfWorkspace }.flatMap(\.steps)
                    .filter { $0.decision == .run }.map(\.runbook.id))
        }
        let (ofWorkspace, ofTenants) = (pending(true), pending(false))
        return fleet.outlooks.map { outlook in
            [false, true].map { isFile in
                RehearsalPlan(
                    outlook.steps, elsewhere: outlook.isOfWorkspace ? ofTenants : ofWorkspace, isFile: isFile)
            }
        }
    }
}
