/// Consecutive runbooks of the same scope without a barrier between them. Every tenant passes one before any enters the
/// next. What is shared is a stage of its own, which one tenant after the other passes.
package struct Stage: Sendable {
    package var index: Int
    package var scope: RunbookScope
    package var runbooks: [Runbook]

    package init(index: Int, scope: RunbookScope, runbooks: [Runbook]) {
        self.index = index
        self.scope = scope
        self.runbooks = runbooks
    }

    /// Whether nothing else of the workspace may run meanwhile.
    package var isShared: Bool { runbooks.contains(where: \.shared) }

    /// Cuts runbooks, given in the order of their execution, into stages.
    package static func cut(_ runbooks: [Runbook]) -> [Stage] {
        var stages: [Stage] = []
        for runbook in runbooks {
            if let last = stages.indices.last, stages[last].scope == runbook.scope, !runbook.barrier,
                !runbook.shared, !stages[last].isShared
            {
                stages[last].runbooks.append(runbook)
            } else {
                stages.append(Stage(index: stages.count, scope: runbook.scope, runbooks: [runbook]))
            }
        }
        return stages
    }
}
