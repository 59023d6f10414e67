/// Decides, from what is on record, what would become of each runbook in one tenant.
package struct TenantPlanner: Sendable {
    /// Every runbook of the manifest, in the order of execution.
    package let runbooks: [Runbook]
    /// Which of them are asked about.
    package let selected: Set<Identity>
    private let phases: [String]

    package init(manifest: Manifest, selection: Selection) {
        runbooks = manifest.runbooks
        phases = manifest.phases
        selected = Set(manifest.runbooks.filter { $0.isSelected(by: selection) }.map(\.identity))
    }

    package struct Step: Sendable {
        package var runbook: Runbook
        package var decision: PlanDecision
        package var reason: String?
        /// Whether the ledger has something on record of it here.
        package var isOnRecord = false
        /// Its last end was not seen, and `verify` answers first.
        package var asksVerify = false
        /// Why an undo is refused as a whole.
        package var refusal: UndoRefusal?

        package init(runbook: Runbook, decision: PlanDecision, reason: String? = nil, asksVerify: Bool = false) {
            self.runbook = runbook
            self.decision = decision
            self.reason = reason
            self.asksVerify = asksVerify
        }
    }

    /// One step per selected runbook of `scope`.
    ///
    /// - Parameters:
    ///   - recorded: of this tenant, and of the workspace's own runbooks.
    ///   - chosen: what is asked about in this place, where that is not the same everywhere.
    package func steps(
        scope: RunbookScope, labels: [String: String], recorded: [Identity: RecordedExecution],
        chosen: Set<Identity>? = nil
    ) -> [Step] {
        let selected = chosen ?? selected
        var steps: [Step] = []
        /// Why a runbook keeps what comes after it from running; none for those that are or will be done.
        var obstacles: [String: String] = [:]
        /// Obstacles that are done here, and of which no undo is asked for.
        var staying: Set<String> = []
        var brokenPhase: (index: Int, reason: String)?
        for runbook in runbooks {
            let isHere = runbook.scope == scope
            // A tenant's runbooks are judged in the tenants; the workspace's own, which have no labels, by everyone.
            guard isHere || runbook.scope == .workspace else { continue }
            var step = step(runbook, isHere ? labels : [:], recorded[runbook.identity])
            step.isOnRecord = recorded[runbook.identity] != nil
            if step.decision == .run {
                if let after = runbook.after.first(where: { obstacles[$0] != nil }), let obstacle = obstacles[after] {
                    step = Step(runbook: runbook, decision: .blocked, reason: "after \(after), which \(obstacle)")
                    if staying.contains(after) { step.refusal = .supports(after) }
                } else if isHere, let broken = brokenPhase, phaseIndex(runbook) > broken.index {
                    step = Step(runbook: runbook, decision: .blocked, reason: broken.reason)
                }
            }
            let isSelected = selected.contains(runbook.identity)
            if let obstacle = obstacle(step, isSelected: isSelected) {
                obstacles[runbook.id] = obstacle
                if runbook.undoes != nil, !isSelected, step.decision != .unknown { staying.insert(runbook.id) }
                if isHere, isSelected, brokenPhase == nil {
                    brokenPhase = (phaseIndex(runbook), "\(runbook.id) of phase \(runbook.phase) \(obstacle)")
                }
            }
            if isHere, isSelected { steps.append(step) }
        }
        return steps
    }

    private func phaseIndex(_ runbook: Runbook) -> Int { phases.firstIndex(of: runbook.phase) ?? 0 }

    /// The decision without regard to other runbooks.
    private func step(_ runbook: Runbook, _ labels: [String: String], _ recorded: RecordedExecution?) -> Step {
        if let rule = runbook.undoes { return self.step(runbook, undoing: rule, recorded) }
        guard runbook.applies(to: labels) else {
            return Step(runbook: runbook, decision: .notApplicable, reason: "its labels do not match")
        }
        guard let recorded else { return Step(runbook: runbook, decision: .run) }
        if recorded.isOfUndo, let reason = unfinishedUndo(recorded) {
            return Step(runbook: runbook, decision: .unknown, reason: reason)
        }
        if runbook.batch != nil, [.running, .unknown, .failed].contains(recorded.state) {
            return Step(runbook: runbook, decision: .run, reason: "goes on behind its last batch")
        }
        switch recorded.state {
        case .succeeded, .baselined:
            guard recorded.checksum != runbook.checksum else { return Step(runbook: runbook, decision: .done) }
            switch runbook.onChange {
            case .accept: return Step(runbook: runbook, decision: .done, reason: "its body has changed; accepted")
            case .rerun: return Step(runbook: runbook, decision: .run, reason: "its body has changed")
            case .fail:
                return Step(
                    runbook: runbook, decision: .drifted,
                    reason:
                        "done with \(recorded.checksum.prefix(15))…, the manifest has \(runbook.checksum.prefix(15))…")
            }
        case .running, .unknown:
            return undecided(runbook, "the end of its last attempt was not seen")
        case .failed:
            // What a hook's non-zero exit left behind is the hook's business; a transaction leaves nothing.
            if case .sql = runbook.action, !(recorded.clean ?? runbook.transaction) {
                return undecided(runbook, "its last attempt failed and left something behind")
            }
            return Step(runbook: runbook, decision: .run, reason: "failed before")
        case .rolledBack: return Step(runbook: runbook, decision: .run, reason: "rolled back before")
        }
    }

    private func undecided(_ runbook: Runbook, _ why: String) -> Step {
        if runbook.repeatable { return Step(runbook: runbook, decision: .run, reason: "\(why); repeatable") }
        if runbook.verify != nil {
            return Step(runbook: runbook, decision: .run, reason: "\(why); verify answers first", asksVerify: true)
        }
        return Step(runbook: runbook, decision: .unknown, reason: why)
    }

    /// Whether something is half undone: then neither doing nor undoing it again is safe, and a person decides.
    private func unfinishedUndo(_ recorded: RecordedExecution) -> String? {
        switch recorded.state {
        case .running, .unknown: "the end of its undo was not seen"
        case .failed: recorded.clean == false ? "its undo failed and left something behind" : nil
        case .succeeded, .baselined, .rolledBack: nil
        }
    }

    private func obstacle(_ step: Step, isSelected: Bool) -> String? {
        if step.runbook.undoes != nil { return undoObstacle(step, isSelected: isSelected) }
        return switch step.decision {
        case .done, .notApplicable: nil
        case .run: isSelected ? nil : "is not done and not selected"
        case .blocked: "is blocked"
        case .drifted: "has drifted"
        case .unknown: "is unknown"
        }
    }
}

extension Runbook {
    /// Whether a tenant with these labels is meant.
    package func applies(to labels: [String: String]) -> Bool {
        match.allSatisfy { name, values in labels[name].map(values.contains) ?? false }
    }

    /// Whether a command with this selection is about it.
    package func isSelected(by selection: Selection) -> Bool {
        (selection.phase == nil || selection.phase == phase)
            && (selection.runbooks.isEmpty || selection.runbooks.contains(id)
                || selection.runbooks.contains(identity.description))
    }
}
