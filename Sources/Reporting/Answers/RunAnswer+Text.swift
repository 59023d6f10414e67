import RunbookModel

extension RunAnswer: TextAnswer {
    private static let causesShown = 10
    private static let linesShown = 12

    /// The verdict, the causes with all that is needed to find the place, the notices and the command that continues.
    package func lines(_ layout: TextLayout) -> [String] {
        let style = layout.style
        var lines =
            report.error.map { $0.lines(exitCode: report.exitCode, layout) }
            ?? [report.ok ? style.good(verdict) : style.bad(verdict)]
        if let reason = report.run?.stopReason {
            lines += [
                "", style.bad("The run was stopped: \(reason.printable)."),
                "What had not begun was not touched. The next \(report.command) is a new run, with counters from zero.",
            ]
        }
        for cause in report.causes.prefix(Self.causesShown) { lines += [""] + self.lines(of: cause, style) }
        if report.causes.count > Self.causesShown {
            lines += [
                "", "And \(Phrase.counted(report.causes.count - Self.causesShown, "more cause", "more causes")).",
            ]
        }
        lines += hookLines(style)
        if !report.notices.isEmpty { lines += [""] + report.notices.map { style.warning("Notice: " + $0.printable) } }
        if let run = report.run, run.joined {
            lines += ["", "This \(report.command) joined run \(run.id), which was under way."]
        }
        if let next = report.next { lines += ["", "Continue with: " + style.strong(next.printable)] }
        return lines
    }

    private func lines(of cause: Cause, _ style: TextStyle) -> [String] {
        let example = report.failures.first {
            $0.message == cause.message && $0.runbook == cause.runbook && $0.sqlstate == cause.sqlstate
                && $0.file == cause.file && $0.line == cause.line
        }
        let place = cause.file.map { " at " + $0.printable + (cause.line.map { ":\($0)" } ?? "") } ?? ""
        let facts = [cause.runbook?.printable, cause.sqlstate.map { "SQLSTATE \($0)" }].compactMap(\.self)
        let head =
            "\(Phrase.counted(cause.count, "tenant")) \(Self.verb(example, cause.count))\(place)"
            + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))") + ":"
        var lines = [style.strong(head)] + cause.message.indented
        if let example {
            lines += (example.detail ?? "").indented
            lines += Self.excerpt(example.statement ?? "").map { style.faint($0) }
        }
        let tenants = cause.sampleTenants.filter { !$0.isEmpty }
        if !tenants.isEmpty {
            let noun = cause.count == 1 ? "Tenant" : "Tenants"
            lines.append("    \(noun): \(Phrase.names(tenants, total: cause.count))")
        }
        if let hint = example?.hint { lines += ("Hint: " + hint).indented }
        return lines
    }

    /// Hooks that did not end well; those of tenants that are alike together. What failed before a tenant's work is among
    /// the causes.
    private func hookLines(_ style: TextStyle) -> [String] {
        var groups: [(hook: HookReport, tenants: [String])] = []
        for hook in report.hooks where hook.state != .succeeded && hook.hook != .beforeTenant {
            let isSame = { (group: (hook: HookReport, tenants: [String])) in
                group.hook.hook == hook.hook && group.hook.message == hook.message && hook.tenant != nil
            }
            if let index = groups.firstIndex(where: isSame) {
                groups[index].tenants += [hook.tenant].compactMap(\.self)
            } else {
                groups.append((hook, [hook.tenant].compactMap(\.self)))
            }
        }
        return groups.flatMap { hook, tenants in
            let said = hook.message?.printable ?? "\(hook.hook.rawValue) was not seen to end"
            let whole = tenants.isEmpty ? "" : " (\(Phrase.counted(tenants.count, "tenant")))"
            var lines = ["", style.bad("Hook: \(said)\(whole)")] + (hook.output ?? "").indented
            if !tenants.isEmpty {
                let noun = tenants.count == 1 ? "Tenant" : "Tenants"
                lines.append("    \(noun): \(Phrase.names(tenants.prefix(5).map(\.self), total: tenants.count))")
            }
            return lines
        }
    }

    /// The statement, but not a whole screen of it.
    private static func excerpt(_ statement: String) -> [String] {
        let lines = statement.indented
        let shown = lines.count > linesShown ? lines.prefix(linesShown - 1) + ["    …"] : lines[...]
        return shown.map { "  " + $0 }
    }

    private static func verb(_ failure: Failure?, _ count: Int) -> String {
        switch failure?.state {
        case "unknown": count == 1 ? "is unknown" : "are unknown"
        case "blocked": count == 1 ? "is blocked" : "are blocked"
        case "drifted": count == 1 ? "has drifted" : "have drifted"
        default: "failed"
        }
    }
}

extension String {
    /// Its lines four columns to the right; none for an empty text.
    var indented: [String] { isEmpty ? [] : printableLines.map { "    " + $0 } }
}
