import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum TenantsCommand: Command {
    static let definition = CommandDefinition(
        "tenants",
        summary: "The tenants of the manifest's source.",
        discussion: "Asks the manifest's source for its tenants and lists them with their labels and what their "
            + "scripts would run against. It writes nothing.",
        flags: [.manifest, .ledger, .tenant, .match, .skipTenant],
        exits: [
            (.done, "The tenants are listed."),
            (.refused, "Invalid manifest, unknown tenant, or a source whose answer cannot be used."),
            (.tryAgain, "The source could not be reached."),
        ],
        examples: ["muster tenants --match plan=internal"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let loaded = try context.manifest(arguments)
        let list = try await context.service.tenants(loaded.manifest, arguments.selection)
        return Answer(list, exitCode: list.exitCode)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(
            schema: "muster.tenants/1", command: "tenants", problem: problem,
            members: ["workspace", "tenants", "notices"])
    }
}
