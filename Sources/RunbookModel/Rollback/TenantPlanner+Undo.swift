extension TenantPlanner {
    /// Why an undo must not begin anywhere while this stands: refused as a whole, with nothing touched.
    package enum UndoRefusal: Sendable, Hashable {
        /// A runbook that stands after it is done here and stays.
        case supports(String)
        /// A person declared it done.
        case declared
    }

    /// The decision on an undo, without regard to other runbooks.
    func step(_ runbook: Runbook, undoing rule: UndoRule, _ recorded: RecordedExecution?) -> Step {
        let made = { (decision: PlanDecision, reason: String?) in
            Step(runbook: runbook, decision: decision, reason: reason)
        }
        switch rule.decision(recorded) {
        case .run: return made(.run, nil)
        case .nothing: return made(.done, nil)
        case .drifted:
            let found = recorded?.checksum.prefix(15) ?? ""
            return made(
                .drifted, "done with \(found)…, the manifest has \(runbook.checksum.prefix(15))…: its undo may not fit")
        case .declared:
            var step = made(.blocked, "a person declared it done, no run did it")
            step.refusal = .declared
            return step
        case .unseen:
            let what = recorded?.isOfUndo == true ? "its undo" : "its last attempt"
            return made(.unknown, "the end of \(what) was not seen")
        case .leftovers:
            let what = recorded?.isOfUndo == true ? "its undo" : "its last attempt"
            return made(.unknown, "\(what) failed and left something behind")
        }
    }

    /// What an undo that did not happen keeps what it stands on from being undone for.
    func undoObstacle(_ step: Step, isSelected: Bool) -> String? {
        switch step.decision {
        case .done, .notApplicable: nil
        case .run: isSelected ? nil : "is done and is not rolled back"
        case .blocked: isSelected ? "is blocked" : "is done and is not rolled back"
        case .drifted: isSelected ? "has drifted" : "is done and is not rolled back"
        case .unknown: "is unknown"
        }
    }
}
