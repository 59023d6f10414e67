/// What of one tenant's steps can be rehearsed: run inside one transaction and rolled back.
package struct RehearsalPlan: Sendable {
    package enum Disposition: Sendable, Hashable {
        case rehearse
        /// A hook that says what it would do; started once the transaction is over.
        case dryRun
        /// Not run, and nothing is said about how it would end.
        case notRehearsed(String)
        /// Apply would not run it either.
        case blocked(String)
        case unknown(String)
    }

    package struct Step: Sendable {
        package var runbook: Runbook
        package var disposition: Disposition
    }

    package private(set) var steps: [Step] = []

    /// Whether a transaction is needed.
    package var hasWork: Bool { steps.contains { $0.disposition == .rehearse } }

    /// - Parameters:
    ///   - steps: what the plan says of this tenant.
    ///   - elsewhere: runbooks that would run in another place first, and so do not run before these.
    ///   - isFile: SQLite changes `foreign_keys` only outside of a transaction, so all that is rehearsed has it alike.
    package init(_ steps: [TenantPlanner.Step], elsewhere: Set<String>, isFile: Bool) {
        var missing: [String: String] = [:]
        var foreignKeys: Bool?
        for step in steps {
            let runbook = step.runbook
            let disposition: Disposition
            switch step.decision {
            case .done, .notApplicable: continue
            case .blocked, .drifted: disposition = .blocked(step.reason ?? step.decision.rawValue)
            case .unknown: disposition = .unknown(step.reason ?? "its end was not seen")
            case .run:
                if case .exec(let command) = runbook.action, command.dryRun {
                    disposition = .dryRun
                } else if let kind = runbook.kindNotRehearsable(isFile: isFile) {
                    disposition = .notRehearsed(kind)
                } else if let before = runbook.after.first(where: { missing[$0] != nil }) {
                    disposition = .notRehearsed("after \(before), which is not rehearsed")
                } else if let before = runbook.after.first(where: elsewhere.contains) {
                    disposition = .notRehearsed("after \(before), which is rehearsed in another place")
                } else if isFile, let foreignKeys, foreignKeys != runbook.foreignKeys {
                    disposition = .notRehearsed("its foreign_keys differs from what is rehearsed before it")
                } else {
                    disposition = .rehearse
                    foreignKeys = runbook.foreignKeys
                }
            }
            switch disposition {
            case .notRehearsed(let reason): missing[runbook.id] = reason
            case .dryRun: missing[runbook.id] = "a dry run has no effect"
            case .rehearse, .blocked, .unknown: break
            }
            self.steps.append(Step(runbook: runbook, disposition: disposition))
        }
    }
}

extension Runbook {
    /// Why a rollback could not take it back; nil for transactional SQL, and on a server for what has a plain twin.
    package func kindNotRehearsable(isFile: Bool) -> String? {
        if shared { return "shared: it touches what is outside of its tenant" }
        return switch action {
        case .exec: "a hook without dry_run: a rollback does not undo what it does"
        case .batch: "in batches: each is a transaction of its own"
        case .sql:
            transaction || (!isFile && isRehearsedAsPlainBuild) ? nil : "transaction: false: it cannot be rolled back"
        }
    }
}
