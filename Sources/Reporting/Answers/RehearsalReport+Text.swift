package import RunbookModel

extension RehearsalReport: TextAnswer {
    private static let locksShown = 12
    private static let causesShown = 10

    package func lines(_ layout: TextLayout) -> [String] {
        let style = layout.style
        if let error { return error.lines(exitCode: exitCode, layout) }
        var lines: [String] = []
        if !tenants.isEmpty {
            lines += runbookTable.lines(width: layout.width, style: style) + section(notRehearsed)
            lines += section(lockLines(layout))
        }
        for cause in causes.prefix(Self.causesShown) { lines += section(self.lines(of: cause, style)) }
        if causes.count > Self.causesShown {
            lines += ["", "And \(Phrase.counted(causes.count - Self.causesShown, "more cause"))."]
        }
        lines += section(hookLines(style))
        lines += section(obstacleLines)
        lines += section(notices.map { style.warning("Notice: " + $0.printable) })
        lines += section([ok ? style.good(verdict) : style.bad(verdict)])
        if !tenants.isEmpty, counts.leftTransaction == 0 { lines.append(afterwards) }
        if let estimate { lines.append(estimate.sentence(of: "Apply takes", by: source(of: estimate))) }
        if let next { lines.append("Continue with: " + style.strong(next.printable)) }
        return lines.first == "" ? Array(lines.dropFirst()) : lines
    }

    /// What was not rehearsed and has a figure has it from the ledger.
    private func source(of estimate: DeployEstimate) -> String {
        let isFromBefore = runbooks.contains {
            $0.counts.notRehearsed > 0 && $0.counts.wouldSucceed + $0.counts.wouldFail == 0
                && !estimate.withoutFigure.contains($0.id)
        }
        return isFromBefore ? "what it took here, and before where it was not rehearsed" : "what it took here"
    }

    /// One sentence: what apply would come to, as far as was seen.
    package var verdict: String {
        if nothingToDo { return "Nothing to rehearse: everything in scope is done." }
        if exitCode == 130 || exitCode == 143 { return "Interrupted: " + shares + "." }
        let all = counts.rehearsed
        if all > 0, ok {
            let tenants = all == 1 ? "1 tenant was" : "\(all) tenants were"
            return "\(tenants) rehearsed: all of it would succeed" + rest + "."
        }
        return (all == 0 && ok ? "Nothing could be rehearsed: " : "Rehearsed: ") + shares + "."
    }

    private var shares: String {
        let parts = [
            (counts.wouldSucceed, "would succeed"), (counts.wouldFail, "would fail"), (counts.busy, "busy"),
            (counts.unreachable, "unreachable"), (counts.maxHold, "stopped after --max-hold"),
            (counts.stopped, "not begun or stopped"), (counts.leftTransaction, "left the transaction"),
            (counts.notRehearsable, "with nothing that can be rehearsed"),
        ].filter { $0.0 > 0 }
        let words = parts.enumerated().map { index, part in
            (index == 0 ? Phrase.counted(part.0, "tenant") : "\(part.0)") + " " + part.1
        }
        return (words + ownWords).joined(separator: ", ")
    }

    private var ownWords: [String] {
        guard let own = tenants.last, own.tenant == nil else { return [] }
        let states: [(RehearsalState, String)] = [
            (.wouldFail, "would fail"), (.unknown, "are unknown"), (.blocked, "are blocked"),
            (.wouldSucceed, "would succeed"),
        ]
        let word = own.obstacle == nil ? states.first { own.has($0.0) }?.1 : nil
        return ["the workspace's own runbooks \(word ?? "are not rehearsed")"]
    }

    private var rest: String {
        var parts: [String] = []
        if counts.notRehearsable > 0 { parts.append("\(counts.notRehearsable) have nothing that can be rehearsed") }
        if counts.notInSample > 0 { parts.append("\(counts.notInSample) more are not in the sample") }
        return parts.isEmpty ? "" : "; " + parts.joined(separator: ", ")
    }

    private var afterwards: String {
        let longest = tenants.map(\.heldMS).max() ?? 0
        var text =
            "All of it is rolled back. A transaction was open for \(Phrase.duration(milliseconds: longest)) at most"
        if let wal {
            text += "; \(wal.isUpperBound ? "at most " : "")\(Self.bytes(wal.bytes)) of write-ahead log were written"
        }
        return text + "."
    }

    private var runbookTable: TextTable {
        TextTable(
            [
                .words("RUNBOOK"), .words("PHASE"), .number("WOULD SUCCEED"), .number("WOULD FAIL"),
                .number("BLOCKED", optional: true), .number("NOT REHEARSED", optional: true),
                .number("UNKNOWN", optional: true), .number("ROWS"), .number("SLOWEST"),
            ],
            runbooks.map {
                [
                    "\($0.id)@\($0.key)", $0.phase, "\($0.counts.wouldSucceed)", "\($0.counts.wouldFail)",
                    "\($0.counts.blocked)", "\($0.counts.notRehearsed)", "\($0.counts.unknown)", "\($0.rowsAffected)",
                    Phrase.duration(milliseconds: $0.longestMS),
                ]
            })
    }

    private var notRehearsed: [String] {
        runbooks.flatMap { runbook in
            let name = "\(runbook.id)@\(runbook.key)"
            var lines: [String] = []
            if runbook.asPlainBuild {
                lines.append(
                    "\(name) is rehearsed as a plain build: its locks, which apply does not take, are not listed.")
            }
            if let reason = runbook.reason { lines.append("\(name) is not rehearsed: \(reason.printable).") }
            return lines
        }
    }

    /// Locks that keep somebody waiting; the others are counted.
    private func lockLines(_ layout: TextLayout) -> [String] {
        let strong = locks.filter { $0.mode.rank > RelationLockMode.rowExclusive.rank }
        guard !locks.isEmpty else { return [] }
        let weak = locks.count - strong.count
        guard !strong.isEmpty else {
            return ["No lock kept readers, writers or other changes of the schema waiting."]
        }
        let table = TextTable(
            [.words("LOCKED"), .words("MODE"), .words("KEEPS WAITING"), .number("TENANTS"), .number("HELD UP TO")],
            strong.prefix(Self.locksShown).map {
                [
                    $0.relation, $0.mode.words,
                    $0.blocksReads ? "reads and writes" : $0.blocksWrites ? "writes" : "schema changes",
                    "\($0.tenants)",
                    Phrase.duration(milliseconds: $0.longestHeldMS),
                ]
            })
        var lines = table.lines(width: layout.width, style: layout.style)
        if strong.count > Self.locksShown {
            lines.append("And \(strong.count - Self.locksShown) more; --format json lists them all.")
        }
        if weak > 0 { lines.append("\(Phrase.counted(weak, "lock")) of reading and writing besides.") }
        return lines
    }

    private func lines(of cause: Cause, _ style: TextStyle) -> [String] {
        let example = failures.first {
            $0.message == cause.message && $0.runbook == cause.runbook && $0.sqlstate == cause.sqlstate
        }
        let place = cause.file.map { " at " + $0.printable + (cause.line.map { ":\($0)" } ?? "") } ?? ""
        let facts = [cause.runbook?.printable, cause.sqlstate.map { "SQLSTATE \($0)" }].compactMap(\.self)
        let head =
            "\(Phrase.counted(cause.count, "tenant")) would fail\(place)"
            + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))") + ":"
        var lines = [style.strong(head)] + cause.message.indented
        lines += (example?.detail ?? "").indented
        if !cause.sampleTenants.isEmpty {
            lines.append(
                "    \(cause.count == 1 ? "Tenant" : "Tenants"): "
                    + Phrase.names(cause.sampleTenants, total: cause.count))
        }
        if let hint = example?.hint { lines += ("Hint: " + hint).indented }
        return lines
    }

    private var obstacleLines: [String] {
        RehearsalObstacle.allCases.compactMap { obstacle in
            let met = tenants.filter { $0.obstacle == obstacle }
            guard let first = met.first else { return nil }
            let names = Phrase.names(met.prefix(5).map { $0.tenant ?? "the workspace" }, total: met.count)
            return "Not rehearsed to the end, because \(obstacle.words): \(names)"
                + (first.message.map { " (" + $0.printable + ")" } ?? "") + "."
        }
    }

    /// Hooks that failed or were not started, those of tenants that are alike together.
    private func hookLines(_ style: TextStyle) -> [String] {
        let kinds = "a hook without dry_run"
        let idle = hooks.filter { $0.state == .notRehearsed && $0.reason?.hasPrefix(kinds) == true }.map(
            \.hook.rawValue)
        var lines: [String] = []
        if !idle.isEmpty {
            let verb =
                idle.count == 1 ? "is not rehearsed, being \(kinds)" : "are not rehearsed, being hooks without dry_run"
            lines.append("\(Phrase.names(idle, limit: idle.count)) \(verb).")
        }
        var told: Set<String> = []
        for hook in hooks where hook.state != .wouldSucceed && !idle.contains(hook.hook.rawValue) {
            let reason = hook.reason?.printable ?? ""
            guard told.insert("\(hook.hook.rawValue) \(reason)").inserted else { continue }
            let count = hooks.count { $0.hook == hook.hook && $0.reason == hook.reason && $0.tenant != nil }
            let whole = count > 0 ? " (\(Phrase.counted(count, "tenant")))" : ""
            if hook.state == .wouldFail {
                lines.append(style.bad("Hook: \(reason)\(whole)"))
                lines += (hook.output ?? "").indented
            } else {
                lines.append("\(hook.hook.rawValue) is not rehearsed: \(reason)\(whole).")
            }
        }
        return lines
    }

    private func section(_ lines: [String]) -> [String] { lines.isEmpty ? [] : [""] + lines }

    private static func bytes(_ count: Int) -> String {
        switch count {
        case ..<10_240: "\(count) bytes"
        case ..<10_485_760: "\(count / 1024) KiB"
        default: "\(count / 1_048_576) MiB"
        }
    }
}
