extension Manifest {
    /// The same manifest the other way round: each runbook is its own undo, and comes after all that stand after it.
    ///
    /// What plans, stages, waves and workers do with runbooks they do with undos in the same way. Labels do not count: what
    /// is done in a tenant is undone there, whatever the tenant is called today.
    ///
    /// - Parameter takesBaselined: whether what a person declared done is undone as well.
    package func undoing(takesBaselined: Bool = false) -> Manifest {
        var manifest = self
        let followers = followers
        manifest.phases = phases.reversed()
        manifest.runbooks = runbooks.reversed().map { runbook in
            var undo = runbook
            undo.after = runbooks.map(\.id).filter(followers[runbook.id, default: []].contains)
            undo.match = [:]
            undo.verify = nil
            undo.action = runbook.rollback?.action ?? runbook.action
            undo.transaction = runbook.rollback?.transaction ?? runbook.transaction
            undo.repeatable = runbook.rollback?.repeatable ?? false
            // A body that would run again is another body: its undo is not this one's.
            undo.onChange = runbook.onChange == .accept ? .accept : .fail
            undo.undoes = UndoRule(
                kind: runbook.undoneKind, checksum: runbook.checksum, acceptsChange: runbook.onChange == .accept,
                recorded: runbook.rollback?.checksum ?? RunbookUndo.mark + runbook.checksum,
                isRepeatable: undo.repeatable, isScript: undo.isUndoScript, takesBaselined: takesBaselined)
            return undo
        }
        // What every tenant had to finish before a runbook is undone once every tenant has undone that runbook.
        for index in manifest.runbooks.indices {
            manifest.runbooks[index].barrier = index > 0 && runbooks[runbooks.count - index].barrier
        }
        return manifest
    }

    /// Whether it was turned round.
    package var isUndoing: Bool { runbooks.contains { $0.undoes != nil } }

    /// For each runbook those that stand after it, directly or through others.
    private var followers: [String: Set<String>] {
        var followers: [String: Set<String>] = [:]
        for runbook in runbooks.reversed() {
            for before in runbook.after {
                followers[before, default: []].formUnion(followers[runbook.id, default: []])
                followers[before, default: []].insert(runbook.id)
            }
        }
        return followers
    }
}

extension Runbook {
    fileprivate var undoneKind: UndoRule.Kind {
        switch action {
        case .sql: .sql
        case .batch: .batch
        case .exec: .exec
        }
    }

    fileprivate var isUndoScript: Bool { if case .exec = action { false } else { true } }

    /// The checksum that a record of it bears: of its body, or of its undo.
    package var recordedChecksum: String { undoes?.recorded ?? checksum }

    /// The state that it leads to.
    package var aim: ExecutionState { undoes == nil ? .succeeded : .rolledBack }
}
