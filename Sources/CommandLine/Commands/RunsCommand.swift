import Reporting
import RunbookModel
import RunbookRunner

enum RunsCommand: Command {
    static let definition = CommandDefinition(
        "runs",
        summary: "The last runs.",
        discussion: "Lists the last runs with how they ended and who started them, the newest first.",
        flags: [.manifest, .readOnlyLedger, .workspace, .limit],
        exits: [
            (.done, "The runs are listed."), (.refused, "Invalid manifest, or a ledger newer than this Muster."),
            (.tryAgain, "The ledger could not be reached."),
        ],
        examples: ["muster runs --limit 5"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let choice = try context.ledger(arguments)
        let list = try await context.service.runs(
            ledger: choice.settings, workspace: choice.workspace, limit: arguments.count(.limit) ?? 20)
        return Answer(list, exitCode: list.exitCode)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(schema: "muster.runs/1", command: "runs", problem: problem, members: ["runs"])
    }
}
