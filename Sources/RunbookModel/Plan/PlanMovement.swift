/// What has moved since a plan was saved.
package struct PlanMovement: Sendable, Hashable {
    /// Sentences; empty when nothing has.
    package private(set) var findings: [String] = []
    /// Whether nothing but the ledger has, in the same ledger: somebody has done some of it, or undone it.
    package private(set) var isOfLedgerAlone = false

    /// - Parameters:
    ///   - saved: as it was.
    ///   - now: the plan that would be saved now.
    package init(since saved: SavedPlan, now: SavedPlan) {
        if saved.workspace != now.workspace {
            findings.append("it was made for workspace \"\(saved.workspace)\", this is \"\(now.workspace)\"")
        }
        if saved.manifest.digest != now.manifest.digest {
            findings.append("the manifest, or a file it names, has changed\(Self.changes(saved, now))")
        }
        // A ledger that was made since is empty as far as the plan goes, or its decisions differ.
        let isOtherLedger = saved.ledger.born != nil && saved.ledger.born != now.ledger.born
        if isOtherLedger { findings.append("this is another ledger than the one it was made with") }
        let isSameFleet = saved.tenants.digest == now.tenants.digest
        if !isSameFleet {
            let (then, now) = (saved.tenants.count, now.tenants.count)
            findings.append(
                then == now
                    ? "the tenants are others, or elsewhere, though as many (\(now))"
                    : "there are \(now) tenants in scope, and there were \(then)")
        }
        guard findings.isEmpty, saved.decisions.digest != now.decisions.digest else { return }
        isOfLedgerAlone = true
        findings = ["the ledger has moved: \(Self.progress(saved, now))"]
    }

    /// Which runbooks a changed manifest changes.
    private static func changes(_ saved: SavedPlan, _ now: SavedPlan) -> String {
        let then = Dictionary(saved.runbooks.map { ("\($0.id)@\($0.key)", $0.checksum) }, uniquingKeysWith: { $1 })
        let new = Dictionary(now.runbooks.map { ("\($0.id)@\($0.key)", $0.checksum) }, uniquingKeysWith: { $1 })
        let parts =
            now.runbooks.map { "\($0.id)@\($0.key)" }.compactMap { name in
                then[name] == nil ? "\(name) is new" : then[name] == new[name] ? nil : "\(name) has another body"
            } + saved.runbooks.map { "\($0.id)@\($0.key)" }.filter { new[$0] == nil }.map { "\($0) is gone" }
        return parts.isEmpty ? "" : " (\(listed(parts)))"
    }

    private static func progress(_ saved: SavedPlan, _ now: SavedPlan) -> String {
        var parts: [String] = []
        for runbook in now.runbooks {
            guard let then = saved.runbooks.first(where: { $0.id == runbook.id && $0.key == runbook.key })?.counts
            else { continue }
            let done = runbook.counts.done - then.done
            if done > 0 {
                parts.append(
                    "\(runbook.id)@\(runbook.key) was done on \(done == 1 ? "1 tenant" : "\(done) tenants") since")
            } else if done < 0 {
                parts.append(
                    "\(runbook.id)@\(runbook.key) is not done any more on \(-done == 1 ? "1 tenant" : "\(-done) tenants")"
                )
            } else if runbook.counts != then {
                parts.append("\(runbook.id)@\(runbook.key) stands differently")
            }
        }
        return parts.isEmpty ? "other tenants are done than then, though as many" : listed(parts)
    }

    private static func listed(_ parts: [String]) -> String {
        parts.prefix(5).joined(separator: ", ") + (parts.count > 5 ? " and \(parts.count - 5) more" : "")
    }
}
