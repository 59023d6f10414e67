import DatabaseAccess
package import RunbookModel

/// What was asked of one command: checked values, from the command line or the environment.
package struct ParsedArguments: Sendable {
    package let command: CommandDefinition
    package let positionals: [String]
    /// By flag name, in the order given; a flag without value has `true` or `false`.
    private let values: [String: [String]]
    /// Names of the flags that came from the command line, not from the environment.
    private let given: Set<String>

    init(command: CommandDefinition, positionals: [String], values: [String: [String]], given: Set<String>) {
        self.command = command
        self.positionals = positionals
        self.values = values
        self.given = given
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

extension ParsedArguments {
    /// A command line for people to go on with: another command with what was given here, as far as it takes it, and
    /// without what is only about output.
    func commandLine(_ command: String, flags: [Flag]) -> String {
        let output = Set((Flag.general + [.quiet, .verbose, .report]).map(\.name))
        var words = ["muster", command]
        for flag in flags where given.contains(flag.name) && !output.contains(flag.name) {
            let spelling = flag.short.map { "-\($0)" } ?? "--\(flag.name)"
            for value in list(flag) {
                if flag.value != .none {
                    words += [spelling, ShellWord.quoted(flag.name == Flag.ledger.name ? Self.masked(value) : value)]
                } else if value == "true" {
                    words.append(spelling)
                }
            }
        }
        return words.joined(separator: " ")
    }

    private static func masked(_ url: String) -> String {
        (try? ConnectionURL(parsing: url))?.description ?? "****"
    }
}

/// What stdout gets.
package enum OutputFormat: String, Sendable {
    case text
    case json
    case ndjson
}
