import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum ApplyCommand: Command {
    static let definition = CommandDefinition(
        "apply", aliases: ["up", "migrate"],
        summary: "Run what is pending, on every tenant.",
        discussion: "Runs every pending runbook on every tenant, each under the tenant's lock, and keeps in the "
            + "ledger what is done: started again, it continues where it stopped and repeats nothing. A second apply "
            + "of the same work joins the run that is under way.",
        flags: [.manifest, .ledger] + Flag.selection + [
            .concurrency, .lockWait, .maxFailures, .release, .expectTenants, .grace,
            .report, .plan, .yes, .quiet, .verbose,
        ],
        exits: [
            (.done, "Everything in scope is proven done, or there was nothing to do."),
            (.failed, "Failed: no tenant completed, or an internal error."),
            (.partial, "Some tenants are done, some are not; the same command continues."),
            (
                .refused,
                "Refused, with nothing touched: invalid manifest, drift, stale plan, unknown name, unexpected tenants."
            ),
            (.undecided, "A person must decide: the end of at least one execution was not seen."),
            (.usage, "Wrong usage."),
            (.tryAgain, "Try again later: a lock was not free in time or a server not reachable; nothing failed."),
            (.interrupted, "Interrupted by INT after a safe stop; the same command continues."),
            (.terminated, "The same by TERM."),
        ],
        examples: [
            "muster apply --phase pre-deploy --release v42 --report json=report.json",
            "muster apply --tenant acme --format json", "muster apply --plan plan.json",
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        try await answer("apply", arguments, context) { manifest, request, events, stop in
            await context.service.apply(manifest, request, events: events, stop: stop)
        }
    }

    /// Follows a run from the first signal to the last line.
    ///
    /// - Parameter command: what was called, for the command line that continues.
    static func answer(
        _ command: String, _ arguments: ParsedArguments, _ context: CommandContext,
        _ work: (Manifest, ApplyRequest, any EventSink, StopSwitch) async -> Report
    ) async throws -> Answer {
        let plan = try savedPlan(arguments, context)
        let loaded = try context.manifest(arguments, named: plan?.manifest.path)
        context.warn(loaded, arguments)
        let stop = StopSwitch()
        let (display, sink) = sinks(arguments, context)
        let subscription = context.signals.listen { signal in
            if stop.signal == nil {
                sink.send(.message("Stopping: what is under way may finish. A second signal cancels it."))
            }
            stop.request(signal)
        }
        defer { subscription.cancel() }
        var report = await withTaskGroup(of: Void.self) { group in
            if let display { group.addTask { await display.run() } }
            let report = await work(loaded.manifest, request(arguments, context, plan), sink, stop)
            group.cancelAll()
            await group.waitForAll()
            return report
        }
        report = context.secrets.masker(report)
        // What is left of a plan is no plan; only an interrupted one goes on as such.
        if canContinue(report), plan == nil || [130, 143].contains(report.exitCode) {
            report.next = arguments.commandLine(command, flags: arguments.command.flags)
        }
        let ownRunbooks = loaded.manifest.runbooks.filter { $0.scope == .workspace }.map(\.id)
        return Answer(
            RunAnswer(report, workspaceRunbooks: Set(ownRunbooks)), exitCode: report.exitCode,
            isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        failure(of: "apply", problem, context)
    }

    static func failure(of command: String, _ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        let now = context.timepiece.now
        let report = Report(
            command: command, ok: false, exitCode: Int(problem.status.rawValue), outcome: .failed,
            retryable: problem.status == .tryAgain, error: problem.reportError, startedAt: now, finishedAt: now,
            durationMS: 0)
        return RunAnswer(report)
    }

    /// Whether the same command, perhaps after a repair, goes on where this one ended.
    private static func canContinue(_ report: Report) -> Bool {
        switch ExitStatus(rawValue: Int32(report.exitCode)) {
        case .partial, .tryAgain, .interrupted, .terminated: true
        case .failed: report.error == nil
        default: false
        }
    }

    /// The plan that was saved, in the place of a selection.
    private static func savedPlan(
        _ arguments: ParsedArguments, _ context: CommandContext
    ) throws -> SavedPlan? {
        guard let path = arguments.text(.plan) else { return nil }
        if let flag = Flag.selection.first(where: { !arguments.list($0).isEmpty }) {
            throw UsageError(
                "--\(flag.name) and --plan exclude each other: a saved plan has its selection in it.",
                command: arguments.command.name)
        }
        return try SavedPlanFile.read(context.path(path))
    }

    private static func request(
        _ arguments: ParsedArguments, _ context: CommandContext, _ plan: SavedPlan?
    ) -> ApplyRequest {
        let facts = DeployFacts(environment: context.environment, userName: context.userName())
        var request = ApplyRequest(
            selection: plan?.selection.selection ?? arguments.selection, concurrency: arguments.count(.concurrency),
            lockWait: arguments.duration(.lockWait), release: arguments.text(.release) ?? facts.release,
            revision: facts.revision, expectedTenants: arguments.count(.expectTenants),
            maxFailures: arguments.text(.maxFailures).flatMap { Allowance($0) }, initiator: facts.initiator,
            grace: arguments.duration(.grace) ?? .seconds(30))
        request.plan = plan
        return request
    }

    /// Who hears of events: a display on stderr, unless it must be quiet or would mix with lines on the same terminal,
    /// and NDJSON on stdout.
    private static func sinks(
        _ arguments: ParsedArguments, _ context: CommandContext
    ) -> (ProgressDisplay?, EventFork) {
        let masker = context.secrets.masker
        let isMixed = arguments.format == .ndjson && context.output.terminal != nil && context.errors.terminal != nil
        var display: ProgressDisplay?
        if !arguments.isOn(.quiet), !isMixed {
            display = ProgressDisplay(
                output: context.errors, timepiece: context.timepiece,
                style: context.layout(for: context.errors, arguments).style, isVerbose: arguments.isOn(.verbose),
                masker: masker)
        }
        var sinks: [any EventSink] = display.map { [$0] } ?? []
        if arguments.format == .ndjson {
            sinks.append(EventLines(output: context.output, timepiece: context.timepiece, masker: masker))
        }
        return (display, EventFork(sinks))
    }
}
