package import RunbookModel

/// What `resolve` is asked to do.
package struct ResolveRequest: Sendable {
    package var runbook: String
    /// nil: the manifest's.
    package var key: String?
    /// Of which tenants; nobody for a runbook of workspace scope.
    package var selection: Selection
    package var decision: ResolveReport.Decision
    package var actor: String
    package var reason: String
    package var lockWait: Duration?

    package init(
        runbook: String, key: String? = nil, selection: Selection, decision: ResolveReport.Decision, actor: String,
        reason: String, lockWait: Duration? = nil
    ) {
        self.runbook = runbook
        self.key = key
        self.selection = selection
        self.decision = decision
        self.actor = actor
        self.reason = reason
        self.lockWait = lockWait
    }
}
