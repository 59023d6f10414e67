/// Small pieces of sentences.
package enum Phrase {
    /// `1 runbook`, `3 runbooks`.
    package static func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
    }

    /// `812 ms`, `5.1 s`, `3 min 12 s`, `2 h 5 min`.
    package static func duration(milliseconds: Int) -> String {
        switch milliseconds {
        case ..<1000: return "\(max(0, milliseconds)) ms"
        case ..<59_950:
            let tenths = (milliseconds + 50) / 100
            return "\(tenths / 10).\(tenths % 10) s"
        default: return duration(seconds: (milliseconds + 500) / 1000)
        }
    }

    /// `5 s`, `3 min 12 s`, `2 h 5 min`.
    package static func duration(seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(max(0, seconds)) s"
        case ..<3600: "\(seconds / 60) min" + (seconds % 60 == 0 ? "" : " \(seconds % 60) s")
        default: "\(seconds / 3600) h" + (seconds / 60 % 60 == 0 ? "" : " \(seconds / 60 % 60) min")
        }
    }

    /// `a, b, c and 9 more`.
    package static func names(_ names: some Collection<String>, total: Int? = nil, limit: Int = 5) -> String {
        let shown = names.prefix(limit).map(\.printable)
        let rest = max(total ?? names.count, names.count) - shown.count
        if rest > 0 { return shown.joined(separator: ", ") + " and \(rest) more" }
        guard let last = shown.last, shown.count > 1 else { return shown.first ?? "" }
        return shown.dropLast().joined(separator: ", ") + " and " + last
    }
}
