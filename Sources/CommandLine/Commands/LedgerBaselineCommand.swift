import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum LedgerBaselineCommand: Command {
    static let definition = CommandDefinition(
        "ledger", "baseline",
        summary: "Declare runbooks done without running them.",
        discussion: "For a fleet that has them already, or a tenant that was made from the newest schema: the selected "
            + "runbooks count as done in the selected tenants (state baselined), with the checksums of this manifest. "
            + "Nothing is run. Each tenant is changed under its lock, and who said so and why is kept.",
        flags: [
            .manifest, .ledger, .phase, .runbook, .allTenants, .tenant, .match, .skipTenant, .reason, .lockWait,
            .confirmed, .quiet,
        ],
        exits: [
            (.done, "Everything selected is done, or declared done."),
            (.failed, "Declined."),
            (.refused, "Unknown runbook or tenant, an invalid manifest, or receipts of another tenant."),
            (.undecided, "The end of some of that work was not seen: muster resolve comes first; nothing was touched."),
            (.usage, "Wrong usage: no tenants were named, or no reason."),
            (.tryAgain, "A tenant's lock was not free in time, or a server could not be reached."),
        ],
        examples: [
            "muster ledger baseline --all-tenants --runbook columns --reason \"done by hand in May\"",
            "muster ledger baseline --tenant acme --reason \"made from the template of v42\" --yes",
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let selection = arguments.selection
        guard selection.narrowsTenants != arguments.isOn(.allTenants) else {
            throw UsageError(
                "ledger baseline needs --all-tenants, or --tenant, --match or --skip-tenant.", command: definition.name)
        }
        guard let reason = arguments.text(.reason) else {
            throw UsageError("ledger baseline needs --reason: it is kept with the act.", command: definition.name)
        }
        let loaded = try context.manifest(arguments)
        context.warn(loaded, arguments)
        let runbooks = selection.runbooks.isEmpty ? "every runbook" : Phrase.names(selection.runbooks)
        let phase = selection.phase.map { " of phase \($0.printable)" } ?? ""
        let place =
            !selection.tenants.isEmpty
            ? Phrase.names(selection.tenants) : selection.narrowsTenants ? "the selected tenants" : "all tenants"
        try context.confirm(
            "Declare \(runbooks)\(phase) done on \(place) of workspace \(loaded.manifest.workspace), without running?",
            arguments)
        let facts = DeployFacts(environment: context.environment, userName: context.userName())
        let report = await context.service.baseline(
            loaded.manifest,
            BaselineRequest(
                selection: selection, actor: facts.initiator.name, reason: reason,
                lockWait: arguments.duration(.lockWait)))
        return Answer(context.secrets.masker(report), exitCode: report.exitCode, isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        BaselineReport(ok: false, exitCode: Int(problem.status.rawValue), error: problem.reportError)
    }
}
