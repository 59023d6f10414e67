import RunbookModel

/// A command line cut into words and flags, whatever command they belong to.
///
/// All commands' flags are known here, so that a flag may stand before the command too.
struct ArgumentTokens {
    /// Everything that is no flag, in order.
    var words: [String] = []
    /// As the user spelled it, the flag's name, its value (`true` for a flag without one).
    private(set) var flags: [(spelling: String, name: String, value: String)] = []

    init(_ arguments: [String], flags known: [Flag]) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                words += rest
                return
            }
            if argument.hasPrefix("--") {
                try takeLong(argument, &rest, known)
            } else if argument.hasPrefix("-"), argument != "-" {
                try takeShort(argument, &rest, known)
            } else {
                words.append(argument)
            }
        }
    }

    private mutating func takeLong(
        _ argument: String, _ rest: inout ArraySlice<String>, _ known: [Flag]
    ) throws(UsageError) {
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let flag = known.first(where: { $0.name == name }) else {
            let names = known.filter(\.isSupported).map(\.name)
            let nearest = NearestName.of(name, in: names).map { " Did you mean --\($0)?" } ?? ""
            throw UsageError("There is no flag --\(name).\(nearest)")
        }
        let value = parts.count > 1 ? String(parts[1]) : nil
        if let value {
            flags.append(("--\(name)", name, value))
        } else {
            flags.append(("--\(name)", name, try Self.value(of: flag, "--\(name)", &rest)))
        }
    }

    /// `-f FILE`, `-fFILE`, or several flags without values in one (`-qv`).
    private mutating func takeShort(
        _ argument: String, _ rest: inout ArraySlice<String>, _ known: [Flag]
    ) throws(UsageError) {
        var letters = argument.dropFirst()
        while let letter = letters.popFirst() {
            guard let flag = known.first(where: { $0.short == letter }) else {
                throw UsageError("There is no flag -\(letter).")
            }
            if flag.value != .none, !letters.isEmpty {
                flags.append(("-\(letter)", flag.name, String(letters)))
                return
            }
            flags.append(("-\(letter)", flag.name, try Self.value(of: flag, "-\(letter)", &rest)))
        }
    }

    /// The next argument as a flag's value.
    private static func value(
        of flag: Flag, _ spelling: String, _ rest: inout ArraySlice<String>
    ) throws(UsageError) -> String {
        if flag.value == .none { return "true" }
        guard let next = rest.first, next == "-" || !next.hasPrefix("-") else {
            let example = flag.placeholder ?? "VALUE"
            throw UsageError(
                rest.isEmpty || rest.first == "--"
                    ? "\(spelling) needs a value: \(example)."
                    : "\(spelling) needs a value: \(example). One that begins with a dash is written --\(flag.name)=…")
        }
        rest.removeFirst()
        return next
    }
}
