import Reporting
import RunbookModel
import RunbookRunner

enum CancelCommand: Command {
    static let definition = CommandDefinition(
        "cancel",
        summary: "End a run that is under way, or some tenants of it.",
        discussion: "What has not begun is cancelled at once. The run's runners, wherever they are, notice it within "
            + "seconds: they finish what they are in the middle of (within their --grace) and begin nothing more. What "
            + "is done stays done, and the next apply is a new run. With --tenant, --match or --skip-tenant only these "
            + "tenants are given up, and the run goes on with the others; their labels are those that the ledger saw last.",
        parameters: [Parameter("RUN", help: "A run's id, as `muster runs` lists it.")],
        flags: [
            .manifest, .readOnlyLedger, .workspace, .tenant, .match, .skipTenant, .reason, .confirmed, .quiet,
        ],
        exits: [
            (.done, "The run, or what was named of it, is cancelled, or had ended already."),
            (.failed, "Declined."),
            (.refused, "There is no such run, tenant or label, or the manifest is invalid."),
            (.tryAgain, "The ledger could not be reached."),
        ],
        examples: [
            "muster cancel 01JB2V9S7YQ4 --reason \"the wrong release\"",
            "muster cancel 01JB2V9S7YQ4 --ledger \"$DATABASE_URL\" --yes",
            "muster cancel 01JB2V9S7YQ4 --tenant acme --reason \"its disk is full\"",
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let choice = try context.ledger(arguments)
        let run = arguments.positionals[0]
        let selection = arguments.selection
        let place =
            !selection.tenants.isEmpty
            ? "\(Phrase.names(selection.tenants)) in " : selection.narrowsTenants ? "the selected tenants of " : ""
        try context.confirm("Cancel \(place)run \(run.printable) of workspace \(choice.workspace)?", arguments)
        let facts = DeployFacts(environment: context.environment, userName: context.userName())
        let report = await context.service.cancel(
            run, selection, ledger: choice.settings, workspace: choice.workspace, actor: facts.initiator.name,
            reason: arguments.text(.reason) ?? "")
        return Answer(context.secrets.masker(report), exitCode: report.exitCode, isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        CancelReport(ok: false, exitCode: Int(problem.status.rawValue), error: problem.reportError)
    }
}
