import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum RehearseCommand: Command {
    static let definition = CommandDefinition(
        "rehearse",
        summary: "Run what is pending for real, then roll it back.",
        discussion: "Runs each tenant's pending transactional runbooks in one transaction under the tenant's lock, and "
            + "rolls it back: says what would fail and why, how many rows, how long, and which locks were held. It "
            + "writes nothing to the ledger. Hooks without dry_run, batches and transaction: false are listed as not "
            + "rehearsed, and so is what comes after them. A rollback does not take back sequences' values or what a script does "
            + "outside the database.",
        flags: [.manifest, .ledger] + Flag.selection
            + [.sample, .concurrency, .maxHold, .shortLockWait, .expectTenants, .quiet],
        exits: [
            (.done, "Everything that was rehearsed would succeed, or there was nothing to do."),
            (.failed, "No tenant would complete, or an internal error."),
            (.partial, "Some tenants would fail, or were not rehearsed to their end."),
            (.refused, "Invalid manifest, drift, unknown name, or unexpected tenants."),
            (.undecided, "A person must decide: the end of an earlier execution was not seen."),
            (.tryAgain, "A tenant's lock was not free or a server not reachable; nothing failed otherwise."),
            (.interrupted, "Interrupted by INT; what was under way is rolled back."),
            (.terminated, "The same by TERM."),
        ],
        examples: [
            "muster rehearse --phase pre-deploy --sample 20",
            "muster rehearse --match plan=internal --max-hold 2s --format json",
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let loaded = try context.manifest(arguments)
        context.warn(loaded, arguments)
        let stop = StopSwitch()
        let notes = RehearsalNotes(
            output: arguments.isOn(.quiet) ? nil : context.errors, masker: context.secrets.masker)
        let subscription = context.signals.listen { signal in
            if stop.signal == nil { notes.send(.message("Stopping: what is under way is rolled back.")) }
            stop.request(signal)
        }
        defer { subscription.cancel() }
        var report = context.secrets.masker(
            await context.service.rehearse(loaded.manifest, request(arguments), events: notes, stop: stop))
        if report.next != nil {
            report.next = arguments.commandLine("apply", flags: ApplyCommand.definition.flags)
        }
        return Answer(report, exitCode: report.exitCode, isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        var report = RehearsalReport(startedAt: context.timepiece.now)
        report.exitCode = Int(problem.status.rawValue)
        report.outcome = .failed
        report.retryable = problem.status == .tryAgain
        report.error = problem.reportError
        return report
    }

    private static func request(_ arguments: ParsedArguments) -> RehearseRequest {
        RehearseRequest(
            selection: arguments.selection, sample: arguments.count(.sample),
            concurrency: arguments.count(.concurrency),
            lockWait: arguments.duration(.shortLockWait) ?? RehearseRequest.usualLockWait,
            maxHold: arguments.duration(.maxHold) ?? RehearseRequest.usualMaxHold,
            expectedTenants: arguments.count(.expectTenants))
    }
}
