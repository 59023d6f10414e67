package import RunbookModel

/// What `ledger repair` is asked to do.
package struct RepairRequest: Sendable {
    package var selection: Selection
    /// nil only looks.
    package var action: RepairReport.Action?
    package var actor: String
    package var reason: String
    package var lockWait: Duration?

    package init(
        selection: Selection = Selection(), action: RepairReport.Action? = nil, actor: String, reason: String = "",
        lockWait: Duration? = nil
    ) {
        self.selection = selection
        self.action = action
        self.actor = actor
        self.reason = reason
        self.lockWait = lockWait
    }
}
