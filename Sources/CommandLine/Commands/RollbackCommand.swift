import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum RollbackCommand: Command {
    static let definition = CommandDefinition(
        "rollback", aliases: ["down", "undo"],
        summary: "Undo what is done, as the manifest declares.",
        discussion:
            "Runs the declared rollback of runbooks wherever they are done, in the reverse order of apply, or takes "
            + "back what one run has done. Each tenant under its lock, each undo in one transaction with the change of its "
            + "record where it is a script; afterwards apply would run them again. Nothing is touched while a runbook "
            + "has no rollback, or one that stands after it is done somewhere and stays. It is a run, with the same "
            + "report as apply: started again, it continues.",
        parameters: [
            Parameter(
                "RUNBOOK[@KEY]", isRequired: false, isRepeated: true, help: "A runbook; its key is the manifest's.")
        ],
        flags: [.manifest, .ledger, .run, .phase, .tenant, .match, .skipTenant, .includeBaselined, .dryRun] + [
            .concurrency, .lockWait, .maxFailures, .release, .expectTenants, .grace, .report, .confirmed, .quiet,
            .verbose,
        ],
        exits: [
            (.done, "None of it is done any more, proven, or there was nothing to undo."),
            (.failed, "Failed: no tenant completed, or an internal error; or declined."),
            (.partial, "Some tenants are undone, some are not; the same command continues."),
            (
                .refused,
                "Refused, with nothing touched: a runbook has no rollback, another stands on it, drift, unknown name."
            ),
            (.undecided, "A person must decide: the end of at least one execution was not seen."),
            (.usage, "Wrong usage: nothing was named, or nobody can be asked and --yes is missing."),
            (.tryAgain, "Try again later: a lock was not free in time or a server not reachable; nothing failed."),
            (.interrupted, "Interrupted by INT after a safe stop; the same command continues."),
            (.terminated, "The same by TERM."),
        ],
        examples: [
            "muster rollback --run 01JB2V9S7YQ4 --dry-run",
            "muster rollback findings-lifecycle-columns findings-lifecycle-index --yes",
            "muster rollback columns --tenant acme --yes --format json",
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let names = arguments.positionals
        let run = arguments.text(.run)
        guard names.isEmpty != (run == nil) else {
            throw UsageError("rollback needs runbooks, or --run RUN, one of them.", command: definition.name)
        }
        let subject = run.map(RollbackRequest.Subject.run) ?? .runbooks(names)
        let includesBaselined = arguments.isOn(.includeBaselined)
        if !arguments.isOn(.confirmed) || arguments.isOn(.dryRun) {
            let loaded = try context.manifest(arguments)
            context.warn(loaded, arguments)
            let view = await context.service.rollbackView(
                loaded.manifest,
                RollbackRequest(
                    subject, takesBaselined: includesBaselined, run: ApplyCommand.request(arguments, context)))
            let masked = context.secrets.masker(view)
            if arguments.isOn(.dryRun) || masked.error != nil {
                return Answer(masked, exitCode: masked.exitCode, isProblem: masked.error != nil)
            }
            if masked.hasWork { try ask(masked, arguments, context) }
        }
        let words = (["rollback"] + names).map { ShellWord.quoted($0) }.joined(separator: " ")
        return try await ApplyCommand.answer(words, arguments, context) {
            await context.service.rollback(
                $0, RollbackRequest(subject, takesBaselined: includesBaselined, run: $1), events: $2, stop: $3)
        }
    }

    /// Shows what would be undone, and asks; where nobody can be asked the command line must say it.
    private static func ask(_ view: RollbackView, _ arguments: ParsedArguments, _ context: CommandContext) throws {
        guard context.errors.terminal != nil else {
            throw UsageError(
                "rollback undoes things, and nobody can be asked here: say --yes, or --dry-run to see what it would do.",
                command: definition.name)
        }
        let layout = context.layout(for: context.errors, arguments)
        context.errors.write(view.lines(layout).joined(separator: "\n") + "\n")
        try context.confirm("Undo this in workspace \(view.workspace)?", arguments)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        ApplyCommand.failure(of: "rollback", problem, context)
    }
}
