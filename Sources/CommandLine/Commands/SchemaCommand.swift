import ManifestFiles
import Reporting
import RunbookModel

enum SchemaCommand: Command {
    static let definition = CommandDefinition(
        "schema",
        summary: "The manifest's JSON Schema, for editors.",
        discussion: "Prints the JSON Schema of the manifest. Editors that know it complete and check a manifest that "
            + "names it in its $schema.",
        general: [.help],
        exits: [(.done, "Always.")],
        examples: ["muster schema > muster.schema.json"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        Answer(SchemaAnswer(text: ManifestSchema.text), .done)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(schema: "muster.error/1", command: "schema", problem: problem, members: [])
    }
}

/// The schema as it is: a document of its own, in every format.
private struct SchemaAnswer: TextAnswer {
    var text: String

    func lines(_ layout: TextLayout) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
