package import RunbookModel

/// What a command is called and takes: parsing, help and completions come from this alone.
package struct CommandDefinition: Sendable {
    /// One word, or two (`locks`, `key`).
    package var path: [String]
    package var aliases: [String]
    /// One line for the list of commands.
    package var summary: String
    /// What it does, in a sentence or two.
    package var discussion: String
    package var parameters: [Parameter]
    package var flags: [Flag]
    /// The exit codes that matter, and what they mean here.
    package var exits: [(status: ExitStatus, meaning: String)]
    package var examples: [String]

    package init(
        _ path: String..., aliases: [String] = [], summary: String, discussion: String, parameters: [Parameter] = [],
        flags: [Flag] = [], general: [Flag] = Flag.general,
        exits: [(status: ExitStatus, meaning: String)], examples: [String]
    ) {
        self.path = path
        self.aliases = aliases
        self.summary = summary
        self.discussion = discussion
        self.parameters = parameters
        self.flags = flags + general
        self.exits = exits
        self.examples = examples
    }

    package var name: String { path.joined(separator: " ") }
}
