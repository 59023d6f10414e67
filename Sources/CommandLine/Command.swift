import Reporting
import RunbookModel

/// One verb: its definition, what it does, and the shape of its answer when it cannot.
protocol Command: Sendable {
    static var definition: CommandDefinition { get }

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer

    /// The document for an error that left the command without an answer.
    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer
}
