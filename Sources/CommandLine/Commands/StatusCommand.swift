import Reporting
import RunbookModel
import RunbookRunner

enum StatusCommand: Command {
    static let definition = CommandDefinition(
        "status",
        summary: "What is done, per runbook and per tenant, from the ledger.",
        discussion: "Says how far every runbook has come, which tenants are behind, and how the last run ended. With "
            + "a manifest the tenants are those of its source; with --ledger alone, those that were last seen. It "
            + "writes nothing.",
        flags: [.manifest, .readOnlyLedger, .workspace] + Flag.selection,
        exits: [
            (.done, "The question could be answered, whatever the answer."),
            (.refused, "Invalid manifest, unknown name, or a ledger newer than this Muster."),
            (.tryAgain, "The ledger could not be reached."),
        ],
        examples: ["muster status --ledger sqlite:.muster/ledger.db", "muster status --format json --tenant acme"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let report =
            switch try context.ledger(arguments) {
            case .manifest(let manifest): await context.service.status(manifest, arguments.selection)
            case .ledger(let settings, let workspace):
                await context.service.status(ledger: settings, workspace: workspace, arguments.selection)
            }
        return Answer(
            context.secrets.masker(report), exitCode: report.exitCode, isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        StatusReport(
            ok: false, exitCode: Int(problem.status.rawValue), ledgerExists: false, error: problem.reportError)
    }
}
