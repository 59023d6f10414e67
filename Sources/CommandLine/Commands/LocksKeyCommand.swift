import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum LocksKeyCommand: Command {
    static let definition = CommandDefinition(
        "locks", "key",
        summary: "The advisory lock key of one tenant, for other programs.",
        discussion: "Prints the key that Muster locks while it works on a tenant, and the database in which it does, "
            + "so that an application can take the same lock.",
        parameters: [Parameter("TENANT", help: "A tenant of the manifest's source.")],
        flags: [.manifest, .ledger],
        exits: [
            (.done, "The key is printed."), (.refused, "There is no such tenant, or the manifest is invalid."),
            (.tryAgain, "The tenants' source could not be reached."),
        ],
        examples: ["muster locks key acme --format json"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let report = try await context.service.lockKey(
            try context.manifest(arguments, connects: false).manifest, tenant: arguments.positionals[0])
        return Answer(report, exitCode: report.exitCode)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(
            schema: "muster.lock_key/1", command: "locks key", problem: problem,
            members: ["tenant", "key", "workspaceKey", "database"])
    }
}
