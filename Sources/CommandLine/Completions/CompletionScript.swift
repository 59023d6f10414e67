/// What a shell needs to complete `muster`, made from the commands' definitions.
struct CompletionScript {
    enum Shell: String, CaseIterable {
        case bash
        case zsh
        case fish
    }

    private let commands: [CommandDefinition]

    init(_ commands: [CommandDefinition]) { self.commands = commands }

    func lines(for shell: Shell) -> [String] {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    // MARK: What there is

    /// First words, each with what it is for: commands, and families of commands.
    private var first: [(word: String, help: String)] {
        var words: [(String, String)] = []
        for command in commands where !words.contains(where: { $0.0 == command.path[0] }) {
            let family = commands.filter { $0.path[0] == command.path[0] && $0.path.count > 1 }
            words.append(
                (command.path[0], family.isEmpty ? command.summary : family.map { $0.path[1] }.joined(separator: ", ")))
            words += command.aliases.map { ($0, command.summary) }
        }
        return words + [("help", "Help on a command.")]
    }

    /// Families with their second words.
    private var families: [(word: String, members: [CommandDefinition])] {
        var words: [String] = []
        for command in commands where command.path.count > 1 && !words.contains(command.path[0]) {
            words.append(command.path[0])
        }
        return words.map { word in (word, commands.filter { $0.path[0] == word && $0.path.count > 1 }) }
    }

    private func flags(_ command: CommandDefinition) -> [Flag] { command.flags.filter(\.isSupported) }

    /// Every way to name a command.
    private func names(_ command: CommandDefinition) -> [String] { [command.name] + command.aliases }

    private func takesFile(_ flag: Flag) -> Bool { ["FILE", "KIND=FILE"].contains(flag.placeholder) }

    private var allFlags: [Flag] {
        var known: [Flag] = []
        for flag in commands.flatMap(flags) where !known.contains(where: { $0.name == flag.name }) {
            known.append(flag)
        }
        return known
    }

    private func spellings(_ flag: Flag) -> [String] { ["--\(flag.name)"] + (flag.short.map { ["-\($0)"] } ?? []) }

    // MARK: bash

    private var bash: [String] {
        var lines = [
            "# bash completion for muster: source <(muster completions bash)",
            "_muster() {",
            "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' words='' i",
            "    for ((i = 1; i < COMP_CWORD; i++)); do",
            "        case ${COMP_WORDS[i]} in",
            "        -*) ;;",
            "        *) command=\"${command:+$command }${COMP_WORDS[i]}\" ;;",
            "        esac",
            "    done",
            "    case $prev in",
        ]
        for flag in allFlags where flag.value != .none {
            let pattern = spellings(flag).joined(separator: " | ")
            if case .choice(let words) = flag.value {
                lines.append(
                    "    \(pattern)) COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- \"$cur\")); return ;;"
                )
            } else if takesFile(flag) {
                lines.append("    \(pattern)) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;")
            } else {
                lines.append("    \(pattern)) return ;;")
            }
        }
        lines += ["    esac", "    case $command in"]
        lines.append("    '') words='\(first.map(\.word).joined(separator: " ")) --help --version' ;;")
        for family in families {
            lines.append("    '\(family.word)') words='\(family.members.map { $0.path[1] }.joined(separator: " "))' ;;")
        }
        for command in commands.sorted(by: { $0.path.count > $1.path.count }) {
            let pattern = names(command).flatMap { ["'\($0)'", "'\($0) '*"] }.joined(separator: " | ")
            let words = flags(command).map { "--\($0.name)" }.joined(separator: " ")
            lines.append("    \(pattern)) words='\(words)' ;;")
        }
        return lines + [
            "    esac", "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))", "}",
            "complete -o default -F _muster muster",
        ]
    }

    // MARK: zsh

    private var zsh: [String] {
        func described(_ word: String, _ help: String) -> String {
            "'\(word.replacing(":", with: "\\:")):\(quoted(help))'"
        }
        var lines = [
            "#compdef muster", "# zsh completion for muster: source <(muster completions zsh)", "_muster() {",
            "    local command='' word", "    local -a entries",
            "    for word in ${words[2,CURRENT-1]}; do",
            "        [[ $word == -* ]] || command=\"${command:+$command }$word\"",
            "    done",
            "    case ${words[CURRENT-1]} in",
        ]
        for flag in allFlags where flag.value != .none {
            let pattern = spellings(flag).joined(separator: "|")
            if case .choice(let words) = flag.value {
                lines.append("    \(pattern)) compadd -- \(words.joined(separator: " ")); return ;;")
            } else {
                lines.append("    \(pattern)) \(takesFile(flag) ? "_files; " : "")return ;;")
            }
        }
        lines += ["    esac", "    case $command in"]
        lines.append("    '') entries=(\(first.map { described($0.word, $0.help) }.joined(separator: " "))) ;;")
        for family in families {
            let members = family.members.map { described($0.path[1], $0.summary) }.joined(separator: " ")
            lines.append("    '\(family.word)') entries=(\(members)) ;;")
        }
        for command in commands.sorted(by: { $0.path.count > $1.path.count }) {
            let pattern = names(command).flatMap { ["'\($0)'", "'\($0) '*"] }.joined(separator: "|")
            let entries = flags(command).map { described("--\($0.name)", $0.help) }.joined(separator: " ")
            lines.append("    \(pattern)) entries=(\(entries)) ;;")
        }
        return lines + [
            "    esac", "    _describe muster entries", "}", "compdef _muster muster",
        ]
    }

    /// Inside single quotes.
    private func quoted(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing(":", with: "\\:").replacing("'", with: "'\\''")
    }

    // MARK: fish

    private var fish: [String] {
        func quoted(_ text: String) -> String {
            "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
        }
        var lines = [
            "# fish completion for muster: muster completions fish | source",
            "complete -c muster -f",
        ]
        lines += first.map { "complete -c muster -n __fish_use_subcommand -a \($0.word) -d \(quoted($0.help))" }
        for family in families {
            let members = family.members.map { $0.path[1] }
            let none =
                "__fish_seen_subcommand_from \(family.word); and not __fish_seen_subcommand_from \(members.joined(separator: " "))"
            lines += family.members.map {
                "complete -c muster -n \(quoted(none)) -a \($0.path[1]) -d \(quoted($0.summary))"
            }
        }
        for command in commands {
            let seen =
                command.path.count > 1
                ? command.path.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
                : "__fish_seen_subcommand_from \(names(command).joined(separator: " "))"
            for flag in flags(command) {
                var line = "complete -c muster -n \(quoted(seen)) -l \(flag.name)"
                if let short = flag.short { line += " -s \(short)" }
                if case .choice(let words) = flag.value {
                    line += " -x -a \(quoted(words.joined(separator: " ")))"
                } else if flag.value != .none {
                    line += takesFile(flag) ? " -r -F" : " -x"
                }
                lines.append(line + " -d \(quoted(flag.help))")
            }
        }
        return lines
    }
}
