import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum ResolveCommand: Command {
    static let definition = CommandDefinition(
        "resolve",
        summary: "Say what became of work whose end nobody saw.",
        discussion:
            "Settles executions in state unknown: --applied declares the work done, --retry lets the next apply "
            + "run it again. Each tenant is settled under its lock, after what a dead runner left running has ended, and "
            + "only if nobody else has settled it meanwhile. With --match or --skip-tenant and no --tenant, tenants in "
            + "which there is nothing to decide are passed by.",
        parameters: [Parameter("RUNBOOK[@KEY]", help: "A runbook; its key is the manifest's.")],
        flags: [
            .manifest, .ledger, .tenant, .match, .skipTenant, .applied, .retry, .reason, .lockWait, .confirmed, .quiet,
        ],
        exits: [
            (.done, "Settled."),
            (.refused, "Unknown runbook or tenant, or nothing to settle."),
            (.usage, "Wrong usage: neither or both of --applied and --retry, or no reason."),
            (.tryAgain, "The lock was not free in time, somebody is at work, or a server could not be reached."),
        ],
        examples: [
            "muster resolve findings-lifecycle-index --tenant acme --applied --reason \"the index is valid\"",
            "muster resolve send --match plan=trial --retry --reason \"the mail server was away\" --yes",
            "muster resolve announce@1 --tenant acme --tenant bolt --retry --reason \"the mail was not sent\"",
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        guard arguments.isOn(.applied) != arguments.isOn(.retry) else {
            throw UsageError("resolve needs --applied or --retry, one of them.", command: definition.name)
        }
        guard let reason = arguments.text(.reason) else {
            throw UsageError("resolve needs --reason: it is kept with the act.", command: definition.name)
        }
        let manifest = try context.manifest(arguments).manifest
        let (runbook, key) = CheckCommand.identity(arguments.positionals[0])
        let selection = arguments.selection
        let decision: ResolveReport.Decision = arguments.isOn(.applied) ? .applied : .retry
        let place =
            !selection.tenants.isEmpty
            ? Phrase.names(selection.tenants) : selection.narrowsTenants ? "the selected tenants" : "the workspace"
        try context.confirm(
            "Declare \(arguments.positionals[0].printable) on \(place) "
                + (decision == .applied ? "done?" : "to be run again?"), arguments)
        let facts = DeployFacts(environment: context.environment, userName: context.userName())
        let report = await context.service.resolve(
            manifest,
            ResolveRequest(
                runbook: runbook, key: key, selection: selection, decision: decision, actor: facts.initiator.name,
                reason: reason, lockWait: arguments.duration(.lockWait)))
        return Answer(context.secrets.masker(report), exitCode: report.exitCode, isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        ResolveReport(ok: false, exitCode: Int(problem.status.rawValue), error: problem.reportError)
    }
}
