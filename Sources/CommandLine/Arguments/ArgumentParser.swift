import RunbookModel

/// Turns a command line and its environment into an invocation. Pure; every refusal names what was probably meant.
package struct ArgumentParser: Sendable {
    private let commands: [CommandDefinition]
    /// Commands of the contract that are not built: refused by name.
    private let unsupported: [String]

    package init(_ commands: [CommandDefinition], unsupported: [String] = []) {
        self.commands = commands
        self.unsupported = unsupported
    }

    /// - Parameter arguments: without the program's name.
    package func parse(_ arguments: [String], environment: [String: String]) throws(UsageError) -> Invocation {
        let options = arguments.prefix { $0 != "--" }
        let asksForHelp = options.contains { $0 == "-h" || $0 == "--help" }
        if asksForHelp { return .help(helpTopic(arguments)) }
        if options.first == "--version" {
            return try parse(["version"] + arguments.dropFirst(), environment: environment)
        }

        var tokens = try ArgumentTokens(arguments, flags: commands.flatMap(\.flags))
        if tokens.words.first == "help" {
            let topic = Array(tokens.words.dropFirst())
            if commands.contains(where: { $0.path.starts(with: topic) }) { return .help(topic) }
            return .help(try command(for: topic).0.path)
        }
        let (definition, length) = try command(for: tokens.words)
        tokens.words.removeFirst(length)
        return .run(try parsed(definition, tokens, environment))
    }

    /// The command that the words begin with, and how many of them name it.
    private func command(for words: [String]) throws(UsageError) -> (CommandDefinition, Int) {
        guard let first = words.first else {
            throw UsageError("A command is missing.")
        }
        for definition in commands.sorted(by: { $0.path.count > $1.path.count }) {
            if words.starts(with: definition.path) { return (definition, definition.path.count) }
            if definition.aliases.contains(first) { return (definition, 1) }
        }
        if unsupported.contains(first) { throw UsageError("\"\(first)\" is not supported yet.") }
        let family = commands.filter { $0.path.count > 1 && $0.path[0] == first }
        if !family.isEmpty {
            let names = family.map { $0.path[1] }
            guard words.count > 1 else {
                throw UsageError("\"\(first)\" needs one of: \(names.joined(separator: ", ")).", command: first)
            }
            throw UsageError(
                "\"\(first)\" has no command \"\(words[1])\"." + meant(words[1], names), command: first)
        }
        throw UsageError(
            "There is no command \"\(first)\"." + meant(first, commands.flatMap { [$0.path[0]] + $0.aliases }))
    }

    private func parsed(
        _ definition: CommandDefinition, _ tokens: ArgumentTokens, _ environment: [String: String]
    ) throws(UsageError) -> ParsedArguments {
        var values: [String: [String]] = [:]
        for (spelling, flag, value) in tokens.flags {
            guard let own = definition.flags.first(where: { $0.name == flag }) else {
                let owners = commands.filter { $0.flags.contains { $0.name == flag && $0.isSupported } }.map(\.name)
                let known = owners.isEmpty ? "" : " It belongs to: \(owners.joined(separator: ", "))."
                throw UsageError("\(spelling) is no flag of \"\(definition.name)\".\(known)", command: definition.name)
            }
            guard own.isSupported else {
                throw UsageError("--\(own.name) is not supported yet.", command: definition.name)
            }
            let checked = try check(value, own, spelling, definition)
            if own.isRepeatable { values[flag, default: []].append(checked) } else { values[flag] = [checked] }
        }
        let given = Set(values.keys)
        for flag in definition.flags where flag.isSupported && values[flag.name] == nil && flag.name != "help" {
            guard let text = environment[flag.variable], !text.isEmpty else { continue }
            let parts = flag.isRepeatable ? text.split(separator: ",").map(String.init) : [text]
            var checked: [String] = []
            for part in parts { checked.append(try check(part, flag, flag.variable, definition)) }
            values[flag.name] = checked
        }
        try checkPositionals(tokens.words, definition)
        return ParsedArguments(command: definition, positionals: tokens.words, values: values, given: given)
    }

    private func checkPositionals(_ words: [String], _ definition: CommandDefinition) throws(UsageError) {
        let parameters = definition.parameters
        if words.count < parameters.count(where: \.isRequired) {
            throw UsageError(
                "\"\(definition.name)\" needs \(parameters[words.count].name).", command: definition.name)
        }
        if words.count > parameters.count, parameters.last?.isRepeated != true {
            throw UsageError(
                "\"\(definition.name)\" does not take \"\(words[parameters.count])\".", command: definition.name)
        }
    }

    /// The value as it is kept; `spelling` is what the user wrote: the flag or the variable.
    private func check(
        _ value: String, _ flag: Flag, _ spelling: String, _ definition: CommandDefinition
    ) throws(UsageError) -> String {
        func refusal(_ wish: String) -> UsageError {
            UsageError("\(spelling) takes \(wish), not \"\(value)\".", command: definition.name)
        }
        switch flag.value {
        case .none:
            switch value.lowercased() {
            case "true", "1", "yes", "on": return "true"
            case "false", "0", "no", "off": return "false"
            default: throw refusal("true or false")
            }
        case .text:
            guard !value.isEmpty else { throw refusal("a value") }
        case .count:
            guard let count = Int(value), count >= 0 else { throw refusal("a whole number") }
        case .positiveCount:
            guard let count = Int(value), count >= 1 else { throw refusal("a whole number from 1") }
        case .allowance:
            guard Allowance(value) != nil else { throw refusal("a whole number, or a share from 0% to 100%") }
        case .duration:
            guard DurationText.duration(value) != nil else { throw refusal("a duration such as 250ms, 30s, 5m or 1h") }
        case .choice(let words):
            guard words.contains(value) else {
                throw UsageError(
                    "\(spelling) takes \(words.joined(separator: ", ")), not \"\(value)\"." + meant(value, words),
                    command: definition.name)
            }
        case .pair:
            guard let sign = value.firstIndex(of: "="), sign > value.startIndex else { throw refusal("label=value") }
        }
        return value
    }

    /// What `--help` is about: the longest known command among the words, whatever else is wrong.
    private func helpTopic(_ arguments: [String]) -> [String] {
        let words = arguments.filter { !$0.hasPrefix("-") && $0 != "help" }
        for definition in commands.sorted(by: { $0.path.count > $1.path.count }) {
            if words.starts(with: definition.path) { return definition.path }
            if let first = words.first, definition.aliases.contains(first) { return definition.path }
        }
        return commands.contains { $0.path.first == words.first } ? [words[0]] : []
    }
}

/// ` Did you mean "apply"?`, or nothing.
func meant(_ word: String, _ candidates: some Sequence<String>) -> String {
    NearestName.of(word, in: candidates).map { " Did you mean \"\($0)\"?" } ?? ""
}
