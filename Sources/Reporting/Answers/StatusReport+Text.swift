package import RunbookModel

extension StatusReport: TextAnswer {
    private static let tenantsShown = 20

    package func lines(_ layout: TextLayout) -> [String] {
        let style = layout.style
        if let error { return error.lines(exitCode: exitCode, layout) }
        var lines: [String] = []
        if !runbooks.isEmpty {
            lines += Self.table("RUNBOOK", runbooks.map { ("\($0.id)@\($0.key)", $0.counts) }).lines(
                width: layout.width, style: style)
        }
        let behind = tenants.filter { $0.counts.pending + $0.counts.running + $0.counts.failed + $0.counts.unknown > 0 }
        if !behind.isEmpty, !runbooks.isEmpty {
            lines += [""]
            lines += Self.table("TENANT", behind.prefix(Self.tenantsShown).map { ($0.tenant, $0.counts) }).lines(
                width: layout.width, style: style)
            if behind.count > Self.tenantsShown {
                lines.append("And \(behind.count - Self.tenantsShown) more; --format json lists them all.")
            }
        }
        if !notices.isEmpty { lines += [""] + notices.map { style.warning("Notice: " + $0.printable) } }
        if let run { lines += ["", run.sentence] }
        lines += ["", verdict(behind: behind.count)]
        return Array(lines.drop { $0.isEmpty })
    }

    private func verdict(behind: Int) -> String {
        if !ledgerExists { return "Nothing is done yet: the ledger does not exist." }
        if runbooks.isEmpty { return "The ledger knows no runbook." }
        if tenantCount == 0 { return "No tenant is in scope." }
        let all = tenantCount == 1 ? "the only tenant" : "all \(tenantCount) tenants"
        return behind == 0
            ? "\(Phrase.counted(runbooks.count, "runbook is", "runbooks are")) done on \(all)."
            : "\(behind) of \(Phrase.counted(tenantCount, "tenant")) \(behind == 1 ? "is" : "are") behind."
    }

    private static func table(_ title: String, _ rows: [(String, StateCounts)]) -> TextTable {
        TextTable(
            [
                .words(title), .number("DONE"), .number("PENDING"), .number("RUNNING", optional: true),
                .number("FAILED", optional: true), .number("UNKNOWN", optional: true),
            ],
            rows.map { ["\($0)", "\($1.done)", "\($1.pending)", "\($1.running)", "\($1.failed)", "\($1.unknown)"] })
    }
}

extension RunRecord {
    /// `Run 01J… partially succeeded on 2026-01-31 12:00:05 UTC: 9 of 10 tenants done, 1 failed.`
    var sentence: String {
        let share =
            kind == .rollback
            ? "\(Phrase.counted(counts.succeeded, "tenant")) rolled back"
            : "\(counts.succeeded + counts.skipped) of \(Phrase.counted(counts.total, "tenant")) done"
        let troubles = [(counts.failed, "failed"), (counts.unknown, "unknown"), (counts.blocked, "blocked")]
            .filter { $0.0 > 0 }.map { ", \($0.0) \($0.1)" }.joined()
        let state =
            finishedAt.map { "\(outcomeWords) at \($0.readable)" } ?? "has been open since \(startedAt.readable)"
        return "Run \(id) \(state): \(share)\(troubles)."
    }

    var outcomeWords: String {
        switch outcome {
        case .succeeded: "succeeded"
        case .partiallySucceeded: "partially succeeded"
        case .failed: "failed"
        case .blocked: "was blocked"
        case .cancelled: "was cancelled"
        case nil: "is open"
        }
    }
}
