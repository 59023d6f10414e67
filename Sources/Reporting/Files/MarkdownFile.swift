import RunbookModel

/// A run in a few lines of Markdown, for a merge request or `$GITHUB_STEP_SUMMARY`.
struct MarkdownFile {
    private static let causesShown = 20
    private static let linesShown = 12
    private let answer: RunAnswer
    private var report: Report { answer.report }

    init(_ answer: RunAnswer) { self.answer = answer }

    func write(to write: (String) -> Void) {
        let sign = report.ok ? "✅" : "❌"
        write("### \(sign) muster \(report.command)\(report.phase.map { ": \(Self.inline($0))" } ?? "")\n\n")
        if let error = report.error {
            write("**Exit \(report.exitCode)**, \(Self.inline(error.code)):\n\n" + Self.block(error.message))
        } else {
            write("**\(Self.inline(answer.verdict))** Exit \(report.exitCode).\n\n")
        }
        if let reason = report.run?.stopReason { write("The run was stopped: \(Self.inline(reason)).\n\n") }
        if !report.runbooks.isEmpty { write(table) }
        for cause in report.causes.prefix(Self.causesShown) { write(lines(of: cause)) }
        let more = report.causes.count - Self.causesShown
        if more > 0 { write("And \(Phrase.counted(more, "more cause", "more causes")).\n\n") }
        for notice in report.notices { write("> \(Self.inline(notice))\n\n") }
        if let next = report.next { write("Continue with:\n\n" + Self.block(next)) }
        write(facts)
    }

    private var table: String {
        let optional: [(title: String, path: KeyPath<JobCounts, Int>)] = [
            ("failed", \.failed), ("blocked", \.blocked), ("unknown", \.unknown), ("cancelled", \.cancelled),
        ]
        let shown = optional.filter { column in report.runbooks.contains { $0.counts[keyPath: column.path] > 0 } }
        let titles = ["done now", "done before"] + shown.map(\.title) + ["rows", "time"]
        var text =
            "| runbook | \(titles.joined(separator: " | ")) |\n|---|" + titles.map { _ in "---:|" }.joined() + "\n"
        for runbook in report.runbooks {
            let counts =
                [runbook.counts.succeeded, runbook.counts.skipped] + shown.map { runbook.counts[keyPath: $0.path] }
            let cells =
                counts.map { "\($0)" } + [
                    "\(runbook.rowsAffected)", Phrase.duration(milliseconds: runbook.durationMS),
                ]
            // Names are letters, digits and `._-+:` alone.
            text += "| `\(runbook.id)@\(runbook.key)` | \(cells.joined(separator: " | ")) |\n"
        }
        return text + "\n"
    }

    private func lines(of cause: Cause) -> String {
        let place = cause.file.map { " at " + $0 + (cause.line.map { ":\($0)" } ?? "") } ?? ""
        let names = [cause.runbook, cause.sqlstate.map { "SQLSTATE \($0)" }].compactMap(\.self).joined(separator: ", ")
        let tenants = Phrase.names(cause.sampleTenants.filter { !$0.isEmpty }, total: cause.count)
        let head = "\(Phrase.counted(cause.count, "tenant"))\(place)\(names.isEmpty ? "" : " (\(names))")"
        return "**\(Self.inline(head))**\(tenants.isEmpty ? "" : ": \(Self.inline(tenants))")\n\n"
            + Self.block(cause.message)
    }

    private var facts: String {
        var facts: [String] = []
        if let run = report.run {
            facts.append("run `\(run.id)`")
            if let release = run.release { facts.append("release \(Self.inline(release))") }
            facts.append("by \(Self.inline(run.initiator.name))")
        }
        if let workspace = report.workspace { facts.append("workspace \(Self.inline(workspace))") }
        facts.append(report.finishedAt.readable)
        return "<sub>\(facts.joined(separator: " · "))</sub>\n"
    }

    /// Text in a line: nothing in it is Markdown or HTML (CommonMark 0.31, 2.4: any ASCII punctuation may be escaped).
    static func inline(_ text: String) -> String {
        var out = ""
        for character in text.printableLines.joined(separator: " ") {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\\", "`", "*", "_", "[", "]", "|", "#", "~", "$", "!", "@": out += "\\\(character)"
            default: out.append(character)
            }
        }
        return out
    }

    /// A code block whose fence is longer than any in the text; not a whole screen of it.
    static func block(_ text: String) -> String {
        var lines = text.printableLines
        if lines.count > linesShown { lines = lines.prefix(linesShown - 1) + ["…"] }
        var longest = 2
        for line in lines {
            for run in line.split(whereSeparator: { $0 != "`" }) { longest = max(longest, run.count) }
        }
        let fence = String(repeating: "`", count: longest + 1)
        return "\(fence)\n\(lines.joined(separator: "\n"))\n\(fence)\n\n"
    }
}
