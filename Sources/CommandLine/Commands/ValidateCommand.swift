import ManifestFiles
import Reporting
import RunbookModel

enum ValidateCommand: Command {
    static let definition = CommandDefinition(
        "validate",
        summary: "Check the manifest alone; needs no database.",
        discussion: "Reads the manifest and every file that it names, and lists everything that is wrong with them. "
            + "It connects to nothing.",
        flags: [.manifest, .quiet],
        exits: [(.done, "The manifest is valid."), (.refused, "It is not, or there is none.")],
        examples: ["muster validate -f manifests/deploy.json5"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        do {
            let loaded = try context.manifest(arguments, connects: false)
            return Answer(ValidationAnswer(loaded, masker: context.secrets.masker), .done)
        } catch let error as ManifestError {
            return Answer(ValidationAnswer(error, masker: context.secrets.masker), .refused)
        }
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(
            schema: "muster.validate/1", command: "validate", problem: problem,
            members: ["manifest", "runbooks", "phases", "errors", "warnings"])
    }
}
