/// One flag of a command, as the parser, the help text and completions need it.
package struct Flag: Sendable {
    /// What a flag's value must look like.
    package enum Value: Sendable, Equatable {
        /// No value: it is on or off.
        case none
        /// Any text; the word stands for it in help (`FILE`).
        case text(String)
        /// A whole number, 0 or more.
        case count
        /// A whole number, 1 or more.
        case positiveCount
        /// A whole number, or a share: `3`, `2%`.
        case allowance
        /// `30s`, `5m`, `250ms`.
        case duration
        /// One of these words.
        case choice([String])
        /// `label=value`.
        case pair
    }

    package var name: String
    package var short: Character?
    package var value: Value
    package var isRepeatable: Bool
    package var help: String
    /// What holds when it is not given, for help; nil when there is nothing to say.
    package var fallback: String?
    /// Known by name but not built: refused, and listed in no help.
    package var isSupported: Bool

    package init(
        _ name: String, short: Character? = nil, _ value: Value = .none, isRepeatable: Bool = false,
        fallback: String? = nil, isSupported: Bool = true, help: String
    ) {
        self.name = name
        self.short = short
        self.value = value
        self.isRepeatable = isRepeatable
        self.help = help
        self.fallback = fallback
        self.isSupported = isSupported
    }

    /// `MUSTER_LOCK_WAIT` for `lock-wait`.
    package var variable: String { "MUSTER_" + name.uppercased().replacing("-", with: "_") }

    /// What stands for the value in help; nil when there is none.
    package var placeholder: String? {
        switch value {
        case .none: nil
        case .text(let word): word
        case .count, .positiveCount: "N"
        case .allowance: "N|N%"
        case .duration: "DURATION"
        case .choice(let words): words.joined(separator: "|")
        case .pair: "LABEL=VALUE"
        }
    }
}
