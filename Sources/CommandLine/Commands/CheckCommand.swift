import Reporting
import RunbookModel
import RunbookRunner

enum CheckCommand: Command {
    static let definition = CommandDefinition(
        "check",
        summary: "Whether runbooks are done: a gate for scripts.",
        discussion: "Answers with its exit code whether the runbooks are done on the tenants asked about. It fails "
            + "closed: without a manifest, which alone knows all tenants and keys, it needs --tenant and a full "
            + "RUNBOOK@KEY. It writes nothing.",
        parameters: [Parameter("RUNBOOK[@KEY]", isRepeated: true, help: "A runbook; its key is the manifest's.")],
        flags: [.manifest, .readOnlyLedger, .workspace, .tenant, .allTenants, .quiet],
        exits: [
            (.done, "Done everywhere that was asked about."),
            (.failed, "Done on none of the tenants."),
            (.partial, "Done on some of the tenants."),
            (.refused, "Unknown runbook or tenant, or drift."),
            (.undecided, "The end of at least one execution was not seen."),
            (.tryAgain, "The ledger could not be reached."),
        ],
        examples: [
            "muster check findings-lifecycle-columns --all-tenants",
            "muster check announce@1 --tenant acme --ledger \"$DATABASE_URL\"",
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let tenants = arguments.list(.tenant)
        guard tenants.isEmpty || !arguments.isOn(.allTenants) else {
            throw UsageError("--tenant and --all-tenants exclude each other.", command: "check")
        }
        let choice = try context.ledger(arguments)
        let identities = arguments.positionals.map(identity)
        if choice.manifest == nil {
            guard !tenants.isEmpty, identities.allSatisfy({ $0.key != nil }) else {
                throw UsageError(
                    "Without a manifest, check needs --tenant and RUNBOOK@KEY: the ledger alone does not know all "
                        + "tenants and keys.", command: "check")
            }
        }
        let report = await context.service.check(
            choice.manifest, ledger: choice.settings, workspace: choice.workspace, identities: identities,
            tenants: tenants.isEmpty ? nil : tenants)
        return Answer(context.secrets.masker(report), exitCode: report.exitCode, isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        CheckReport(ok: false, exitCode: Int(problem.status.rawValue), error: problem.reportError)
    }

    /// `findings@2` is the runbook `findings` under the key `2`; without `@` the key is left to the manifest.
    static func identity(_ text: String) -> (runbook: String, key: String?) {
        guard let sign = text.lastIndex(of: "@"), sign > text.startIndex else { return (text, nil) }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }
}
