import RunbookModel

extension Progress {
    /// The live view's lines at one moment: never more than the terminal is high, never wider than it is wide.
    package func frame(at time: Duration, in size: TerminalSize, style: TextStyle) -> [String] {
        // The last row stays free for the cursor, the last column because some terminals wrap on it.
        let (rows, columns) = (max(1, size.rows - 1), max(1, size.columns - 1))
        var lines = [headline(at: time, columns: columns, style: style)]
        if !failedTenants.isEmpty {
            let count = counts.failed + counts.unknown
            let names = Phrase.names(failedTenants, total: count)
            lines.append(style.bad("  \(count) failed: \(names)".fitted(to: columns)))
        }
        lines += flightLines(at: time, rows: min(8, rows - lines.count), columns: columns, style: style)
        return Array(lines.prefix(rows))
    }

    private func headline(at time: Duration, columns: Int, style: TextStyle) -> String {
        let words = line(at: time)
        let room = columns - words.displayWidth - 2
        guard room >= 10 else { return words.fitted(to: columns) }
        let length = min(30, room)
        let share = tenants > 0 ? min(1, Double(counts.processed) / Double(tenants)) : 0
        let filled = Int((share * Double(length)).rounded(.down))
        return style.good(String(repeating: "━", count: filled))
            + style.faint(String(repeating: "─", count: length - filled)) + "  " + words
    }

    /// Those that are under way for longest come first.
    private func flightLines(at time: Duration, rows: Int, columns: Int, style: TextStyle) -> [String] {
        guard rows > 0, !flights.isEmpty else { return [] }
        let shown = flights.prefix(flights.count > rows ? rows - 1 : rows)
        let nameWidth = min(max(1, columns / 2), shown.map(\.tenant.printable.displayWidth).max() ?? 0)
        var lines = shown.map { flight in
            let seconds = Int((time - flight.since) / .seconds(1))
            let doing =
                flight.isWaiting
                ? "waits for its lock"
                : flight.batch.map { $0.words.joined(separator: ", ") } ?? flight.latest.map { "after \($0)" } ?? ""
            let name = flight.tenant.printable.fitted(to: nameWidth).padded(to: nameWidth)
            let facts = [name, Phrase.duration(seconds: seconds), doing.printable].filter { !$0.isEmpty }
            return ("  " + facts.joined(separator: "  ")).fitted(to: columns)
        }
        if shown.count < flights.count {
            lines.append(style.faint("  and \(flights.count - shown.count) more under way".fitted(to: columns)))
        }
        return lines
    }
}
