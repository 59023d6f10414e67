import Reporting
import RunbookModel

enum CompletionsCommand: Command {
    static let definition = CommandDefinition(
        "completions",
        summary: "A script that lets a shell complete muster's words.",
        discussion: "Prints a completion script for bash, zsh or fish, made from the same definitions as this help.",
        parameters: [Parameter("SHELL", help: "bash, zsh or fish.")],
        general: [.help],
        exits: [(.done, "Always."), (.usage, "There is no script for that shell.")],
        examples: ["source <(muster completions bash)", "muster completions fish | source"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let name = arguments.positionals[0]
        guard let shell = CompletionScript.Shell(rawValue: name) else {
            let shells = CompletionScript.Shell.allCases.map(\.rawValue)
            throw UsageError(
                "There is no completion script for \"\(name)\", only for \(Phrase.names(shells)).\(meant(name, shells))",
                command: definition.name)
        }
        return Answer(
            CompletionsAnswer(script: CompletionScript(CommandCatalogue.definitions).lines(for: shell)), .done)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(schema: "muster.error/1", command: "completions", problem: problem, members: [])
    }
}

/// The script as it is, in every format.
private struct CompletionsAnswer: TextAnswer {
    var script: [String]

    func lines(_ layout: TextLayout) -> [String] { script }
}
