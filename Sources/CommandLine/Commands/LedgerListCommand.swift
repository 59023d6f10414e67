import Reporting
import RunbookModel
import RunbookRunner

enum LedgerListCommand: Command {
    static let definition = CommandDefinition(
        "ledger", "list",
        summary: "What the ledger holds, per runbook or per tenant.",
        discussion:
            "Lists every runbook that the ledger knows, those that no manifest lists any more too, with how many "
            + "tenants are in which state. With --tenant it lists each record of these tenants. It writes nothing.",
        flags: [.manifest, .readOnlyLedger, .workspace, .runbook, .tenant],
        exits: [
            (.done, "The contents are listed."), (.refused, "Unknown runbook or tenant, or an invalid manifest."),
            (.tryAgain, "The ledger could not be reached."),
        ],
        examples: ["muster ledger list", "muster ledger list --tenant acme --ledger \"$DATABASE_URL\" --format json"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let choice = try context.ledger(arguments)
        let contents = try await context.service.contents(
            ledger: choice.settings, workspace: choice.workspace, runbooks: arguments.list(.runbook),
            tenants: arguments.list(.tenant))
        return Answer(contents, exitCode: contents.exitCode)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        LedgerContents(ok: false, exitCode: Int(problem.status.rawValue), error: problem.reportError)
    }
}
