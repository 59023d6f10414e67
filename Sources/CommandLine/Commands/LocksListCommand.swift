import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum LocksListCommand: Command {
    static let definition = CommandDefinition(
        "locks", "list",
        summary: "Who holds which lock, and since when.",
        discussion: "Lists the locks of this workspace that are held now, with their holders.",
        flags: [.manifest, .ledger],
        exits: [
            (.done, "The locks are listed."), (.refused, "Invalid manifest."),
            (.tryAgain, "A server could not be reached."),
        ],
        examples: ["muster locks list"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let list = try await context.service.locks(try context.manifest(arguments).manifest)
        return Answer(list, exitCode: list.exitCode)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(schema: "muster.locks/1", command: "locks list", problem: problem, members: ["locks"])
    }
}
