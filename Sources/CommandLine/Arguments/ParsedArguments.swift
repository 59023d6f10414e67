package import RunbookModel

/// What was asked of one command: checked values, from the command line or the environment.
package struct ParsedArguments: Sendable {
    package let command: CommandDefinition
    package let positionals: [String]
    /// By flag name, in the order given; a flag without value has `true` or `false`.
    private let values: [String: [String]]

    init(command: CommandDefinition, positionals: [String], values: [String: [String]]) {
        self.command = command
        self.positionals = positionals
        self.values = values
    }

    /// The last value given, or nil.
    package func text(_ flag: Flag) -> String? { values[flag.name]?.last }

    package func list(_ flag: Flag) -> [String] { values[flag.name] ?? [] }

    package func isOn(_ flag: Flag) -> Bool { text(flag) == "true" }

    package func count(_ flag: Flag) -> Int? { text(flag).flatMap { Int($0) } }

    package func duration(_ flag: Flag) -> Duration? { text(flag).flatMap { DurationText.duration($0) } }

    package var format: OutputFormat { text(.format).flatMap(OutputFormat.init) ?? .text }

    /// What part of the manifest and of the tenants the command is about.
    package var selection: Selection {
        let pairs = list(.match).map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), [String(parts[1])])
        }
        return Selection(
            phase: text(.phase), runbooks: list(.runbook), tenants: list(.tenant),
            match: Dictionary(pairs, uniquingKeysWith: +), skippedTenants: list(.skipTenant))
    }
}

/// What stdout gets.
package enum OutputFormat: String, Sendable {
    case text
    case json
    case ndjson
}
