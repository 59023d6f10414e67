package import RunbookModel

extension PlanReport: TextAnswer {
    private static let reasonsShown = 10

    package func lines(_ layout: TextLayout) -> [String] {
        let style = layout.style
        if let error { return error.lines(exitCode: exitCode, layout) }
        var lines = table.lines(width: layout.width, style: style)
        let reasons = self.reasons
        if reasons.count > 0 {
            lines += [""] + reasons.first
            if reasons.count > Self.reasonsShown {
                lines.append("And \(reasons.count - Self.reasonsShown) more; --format json lists them all.")
            }
        }
        if !notices.isEmpty { lines += [""] + notices.map { style.warning("Notice: " + $0.printable) } }
        lines += ["", ok ? verdict : style.bad(verdict)]
        if pending > 0, let next { lines.append("Continue with: " + style.strong(next.printable)) }
        return runbooks.isEmpty ? Array(lines.dropFirst(2)) : lines
    }

    /// One sentence: how much would be done.
    package var verdict: String {
        let (drifted, unknown) = runbooks.reduce((0, 0)) { ($0.0 + $1.counts.drifted, $0.1 + $1.counts.unknown) }
        if drifted > 0 {
            return "Refused: \(Phrase.counted(drifted, "execution is", "executions are")) done with another text than "
                + "the manifest has now. Give the changed runbook a new key."
        }
        if unknown > 0 {
            return "A person must decide: the end of \(Phrase.counted(unknown, "execution")) was not seen."
        }
        if runbooks.isEmpty { return "Nothing to do: no runbook is selected." }
        let blocked = runbooks.reduce(0) { $0 + $1.counts.blocked }
        if pending == 0, blocked == 0 {
            if tenantCount == 0 { return "Nothing to do: no tenant is in scope." }
            let tenants = tenantCount == 1 ? "the only tenant" : "all \(tenantCount) tenants"
            return "Nothing to do: \(Phrase.counted(runbooks.count, "runbook is", "runbooks are")) done on \(tenants)."
        }
        return "\(Phrase.counted(pending, "execution")) to run on \(Phrase.counted(pendingTenants, "tenant")) of "
            + "\(tenantCount)" + (blocked > 0 ? ", \(blocked) blocked" : "") + "."
            + (ledgerExists ? "" : " The ledger does not exist yet; apply creates it.")
    }

    private var pendingTenants: Int {
        tenants.count { $0.tenant != nil && $0.steps.contains { $0.decision == .run } }
    }

    private var table: TextTable {
        TextTable(
            [
                .words("RUNBOOK"), .words("PHASE"), .number("RUN"), .number("DONE"),
                .number("BLOCKED", optional: true), .number("NOT APPLICABLE", optional: true),
                .number("DRIFTED", optional: true), .number("UNKNOWN", optional: true),
            ],
            runbooks.map {
                [
                    "\($0.id)@\($0.key)", $0.phase, "\($0.counts.run)", "\($0.counts.done)", "\($0.counts.blocked)",
                    "\($0.counts.notApplicable)", "\($0.counts.drifted)", "\($0.counts.unknown)",
                ]
            })
    }

    /// Why something does not simply run, one line a tenant and runbook: the first of them, and how many there are.
    private var reasons: (first: [String], count: Int) {
        var first: [String] = []
        var count = 0
        for tenant in tenants {
            for step in tenant.steps where [.blocked, .drifted, .unknown].contains(step.decision) {
                count += 1
                guard first.count < Self.reasonsShown else { continue }
                let name = tenant.tenant.map { $0.printable + ": " } ?? ""
                first.append(
                    "\(name)\(step.runbook)@\(step.key) is \(step.decision.rawValue)"
                        + (step.reason.map { ": " + $0.printable } ?? "") + ".")
            }
        }
        return (first, count)
    }
}
