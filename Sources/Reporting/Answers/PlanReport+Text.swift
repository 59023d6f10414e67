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
        if !locks.isEmpty { lines += [""] + lockLines }
        if !notices.isEmpty { lines += [""] + notices.map { style.warning("Notice: " + $0.printable) } }
        lines += ["", ok ? verdict : style.bad(verdict)]
        if let estimate { lines.append(estimate.sentence(of: "It takes", by: "what it took before")) }
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
        let unreachable = runbooks.reduce(0) { $0 + $1.counts.unreachable }
        return "\(Phrase.counted(pending, "execution")) to run on \(Phrase.counted(pendingTenants, "tenant")) of "
            + "\(tenantCount)" + (unreachable > 0 ? ", \(unreachable) of them out of reach" : "")
            + (blocked > 0 ? ", \(blocked) blocked" : "") + "."
            + (ledgerExists ? "" : " The ledger does not exist yet; apply creates it.")
    }

    private var pendingTenants: Int {
        tenants.count { $0.tenant != nil && $0.steps.contains { [.run, .unreachable].contains($0.decision) } }
    }

    private var table: TextTable {
        TextTable(
            [
                .words("RUNBOOK"), .words("PHASE"), .number("RUN"), .number("DONE"),
                .number("BLOCKED", optional: true), .number("NOT APPLICABLE", optional: true),
                .number("DRIFTED", optional: true), .number("UNKNOWN", optional: true),
                .number("UNREACHABLE", optional: true), .number("PREFLIGHT", optional: true),
                .number("PER TENANT", optional: true),
            ],
            runbooks.map {
                [
                    "\($0.id)@\($0.key)", $0.phase, "\($0.counts.run)", "\($0.counts.done)", "\($0.counts.blocked)",
                    "\($0.counts.notApplicable)", "\($0.counts.drifted)", "\($0.counts.unknown)",
                    "\($0.counts.unreachable)", $0.preflight.map(Self.cell) ?? "",
                    $0.duration.map { Phrase.duration(milliseconds: $0.meanMS) } ?? "",
                ]
            })
    }

    /// The sum, and of how many tenants it is not.
    private static func cell(_ sum: PreflightSum) -> String {
        let failed = sum.failed > 0 ? "\(sum.failed) failed" : nil
        return [sum.answered > 0 ? "\(sum.sum)" : nil, failed].compactMap(\.self).joined(separator: ", ")
    }

    /// Who holds what apply would wait for: the first of them.
    private var lockLines: [String] {
        let lines = locks.prefix(Self.reasonsShown).map { lock in
            let whose = lock.tenant.map { "The lock of \($0.printable)" } ?? "The \(lock.level) lock"
            let facts = [
                lock.pid.map { "pid \($0)" }, lock.client?.printable, lock.since.map { "since \($0.readable)" },
            ]
            return "\(whose) is held by \((lock.application ?? "somebody").printable) "
                + "(\(facts.compactMap(\.self).joined(separator: ", ")))."
        }
        let more = locks.count - lines.count
        return lines + (more > 0 ? ["And \(more) more; --format json lists them all."] : [])
    }

    /// Why something does not simply run, one line a tenant and runbook: the first of them, and how many there are.
    private var reasons: (first: [String], count: Int) {
        var first: [String] = []
        var count = 0
        for tenant in tenants {
            for step in tenant.steps where step.needsWords {
                count += 1
                guard first.count < Self.reasonsShown else { continue }
                first.append((tenant.tenant.map { $0.printable + ": " } ?? "") + step.sentence)
            }
        }
        return (first, count)
    }
}

extension PlanReport.PlannedStep {
    /// Whether it does not simply run, or could not be asked how much there is to do.
    fileprivate var needsWords: Bool {
        [.blocked, .drifted, .unknown, .unreachable].contains(decision) || preflight?.error != nil
    }

    /// Why it does not simply run.
    fileprivate var sentence: String {
        if decision == .run, let error = preflight?.error {
            return "\(runbook)@\(key) could not be asked before: \(error.printable)."
        }
        return "\(runbook)@\(key) is \(decision.rawValue)" + (reason.map { ": " + $0.printable } ?? "") + "."
    }

    /// What would become of it, for a list of all.
    fileprivate var line: String {
        let count = preflight.map {
            $0.count.map { ", preflight \($0)" } ?? ", preflight failed: \($0.error?.printable ?? "")"
        }
        return "\(runbook)@\(key): \(decision.rawValue.replacing("_", with: " "))"
            + (reason.map { " (\($0.printable))" } ?? "") + (count ?? "")
    }
}

/// A plan with a line for each tenant and runbook that is not done.
package struct VerbosePlan: TextAnswer {
    package var report: PlanReport

    package init(_ report: PlanReport) { self.report = report }

    package func encode(to encoder: any Encoder) throws { try report.encode(to: encoder) }

    package func lines(_ layout: TextLayout) -> [String] {
        var lines: [String] = []
        for tenant in report.tenants {
            for step in tenant.steps {
                lines.append("\(tenant.tenant?.printable ?? "the workspace"): \(step.line)")
            }
        }
        return lines + (lines.isEmpty ? [] : [""]) + report.lines(layout)
    }
}
