import Reporting
import RunbookModel

/// Help, generated from the commands' definitions.
package struct HelpText: Sendable {
    private let commands: [CommandDefinition]
    private let width: Int

    package init(_ commands: [CommandDefinition], width: Int = 80) {
        self.commands = commands
        self.width = width
    }

    /// Help on the command with that path, on all whose path begins so, or on all.
    package func lines(_ topic: [String]) -> [String] {
        if let definition = commands.first(where: { $0.path == topic }) {
            return lines(on: definition)
        }
        return overview(commands.filter { $0.path.starts(with: topic) }, topic)
    }

    private func overview(_ shown: [CommandDefinition], _ topic: [String]) -> [String] {
        let title = (["muster"] + topic).joined(separator: " ")
        var lines = ["Usage: \(title) COMMAND [flags]", ""]
        if topic.isEmpty {
            lines += wrapped(
                "Muster runs a deploy's migrations and hooks across all tenants, each exactly once, and ends with an "
                    + "exit code that a pipeline can branch on.", indentation: 0)
            lines.append("")
        }
        lines.append("Commands:")
        lines += entries(shown.map { ($0.name, $0.summary) })
        lines += ["", "`muster help COMMAND` says more."]
        return lines
    }

    private func lines(on command: CommandDefinition) -> [String] {
        let usage = (["muster", command.name] + command.parameters.map(\.usage) + ["[flags]"]).joined(separator: " ")
        var lines = ["Usage: \(usage)", ""] + wrapped(command.discussion, indentation: 0)
        if !command.aliases.isEmpty {
            lines += ["", "Also called: \(command.aliases.joined(separator: ", "))"]
        }
        if !command.parameters.isEmpty {
            lines += ["", "Arguments:"] + entries(command.parameters.map { ($0.name, $0.help) })
        }
        lines += ["", "Flags:"] + entries(command.flags.filter(\.isSupported).map { (Self.usage($0), Self.help($0)) })
        lines += ["", "Exit codes:"] + entries(command.exits.map { ("\($0.status.rawValue)", $0.meaning) })
        lines += ["", command.examples.count == 1 ? "Example:" : "Examples:"] + command.examples.map { "  " + $0 }
        return lines
    }

    private static func usage(_ flag: Flag) -> String {
        (flag.short.map { "-\($0), " } ?? "    ") + "--\(flag.name)" + (flag.placeholder.map { " " + $0 } ?? "")
    }

    private static func help(_ flag: Flag) -> String {
        if flag.name == Flag.help.name { return flag.help }
        return flag.help + (flag.fallback.map { " Default: \($0)." } ?? "") + " [\(flag.variable)]"
    }

    /// Two columns: a term, and what it means. A long term stands on a line of its own.
    private func entries(_ entries: [(term: String, meaning: String)]) -> [String] {
        let column = min(28, (entries.map(\.term.displayWidth).max() ?? 0) + 4)
        return entries.flatMap { entry in
            let meaning = wrapped(entry.meaning, indentation: column)
            let term = "  " + entry.term
            guard term.displayWidth + 2 <= column, let first = meaning.first else { return [term] + meaning }
            let gap = String(repeating: " ", count: column - term.displayWidth)
            return [term + gap + first.dropFirst(column)] + meaning.dropFirst()
        }
    }

    private func wrapped(_ text: String, indentation: Int) -> [String] {
        let margin = String(repeating: " ", count: indentation)
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.displayWidth + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(margin + word)
            }
        }
        return lines
    }
}
