import RunbookModel
import Testing

struct UndoRuleTests {
    /// Every record that there can be: state, clean, and whose checksum it bears.
    static let records: [RecordedExecution] = ExecutionState.allCases.flatMap { state in
        [nil, true, false].flatMap { (clean: Bool?) in
            ["sha256:body", "sha256:other", "undo:sha256:u"].map {
                RecordedExecution(state: state, clean: clean, checksum: $0)
            }
        }
    }

    static let rules: [UndoRule] = UndoRule.Kind.allCases.flatMap { kind in
        [true, false].flatMap { accepts in
            [true, false].flatMap { isRepeatable in
                [true, false].flatMap { isScript in
                    [true, false].map { takesBaselined in
                        UndoRule(
                            kind: kind, checksum: "sha256:body", acceptsChange: accepts, recorded: "undo:sha256:u",
                            isRepeatable: isRepeatable, isScript: isScript, takesBaselined: takesBaselined)
                    }
                }
            }
        }
    }

    @Test("only what is done as the manifest says, and what batches began, is undone", arguments: rules)
    func everyRecord(rule: UndoRule) {
        #expect(rule.decision(nil) == .nothing)
        for record in Self.records {
            let isUndo = record.checksum.hasPrefix("undo:")
            let fits = rule.acceptsChange || record.checksum == "sha256:body"
            let expected: UndoRule.Decision =
                switch (record.state, isUndo) {
                case (.rolledBack, _): .nothing
                case (.succeeded, _): fits ? .run : .drifted
                case (.baselined, _): !fits ? .drifted : rule.takesBaselined ? .run : .declared
                case (.running, true), (.unknown, true): rule.isRepeatable ? .run : .unseen
                case (.running, false), (.unknown, false): rule.kind == .batch ? .run : .unseen
                case (.failed, true):
                    record.clean == false && rule.isScript && !rule.isRepeatable ? .leftovers : .run
                case (.failed, false):
                    record.clean != false || rule.kind == .exec
                        ? .nothing : rule.kind == .batch ? .run : .leftovers
                }
            #expect(rule.decision(record) == expected, "\(record)")
        }
    }

    @Test("an apply never goes over a half undone identity, whatever it may repeat")
    func applyAfterAnUnfinishedUndo() {
        for record in Self.records where record.isOfUndo {
            for isBatch in [true, false] {
                let runbook = Runbooks.runbook("r", isBatch: isBatch, repeatable: true)
                let planner = TenantPlanner(manifest: Runbooks.manifest([runbook]), selection: Selection())
                let step = planner.steps(scope: .tenant, labels: [:], recorded: [runbook.identity: record])[0]
                switch record.state {
                case .running, .unknown: #expect(step.decision == .unknown)
                case .failed where record.clean == false: #expect(step.decision == .unknown)
                case .failed, .rolledBack: #expect(step.decision == .run)
                case .succeeded, .baselined: #expect(step.decision == .drifted)
                }
            }
        }
    }
}
