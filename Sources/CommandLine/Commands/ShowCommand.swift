import Reporting
import RunbookModel
import RunbookRunner

enum ShowCommand: Command {
    static let definition = CommandDefinition(
        "show",
        summary: "One run: what it did, what failed, which manifest it ran.",
        discussion: "Shows one run with its counts per runbook, its failures and who started it. --format json "
            + "holds the manifest as it ran, before ${…} was expanded.",
        parameters: [Parameter("RUN", help: "A run's id, as `muster runs` lists it.")],
        flags: [.manifest, .readOnlyLedger, .workspace],
        exits: [
            (.done, "The run is shown."), (.refused, "There is no such run, or the manifest is invalid."),
            (.tryAgain, "The ledger could not be reached."),
        ],
        examples: ["muster show 01JB2V9S7YQ4 --format json"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let choice = try context.ledger(arguments)
        let detail = try await context.service.run(
            arguments.positionals[0], ledger: choice.settings, workspace: choice.workspace)
        return Answer(context.secrets.masker(detail), exitCode: detail.exitCode)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(
            schema: "muster.run/1", command: "show", problem: problem,
            members: ["run", "runbooks", "failures", "manifest"])
    }
}
