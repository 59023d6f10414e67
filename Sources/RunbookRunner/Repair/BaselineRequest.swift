package import RunbookModel

/// What `ledger baseline` is asked to do.
package struct BaselineRequest: Sendable {
    package var selection: Selection
    package var actor: String
    package var reason: String
    package var lockWait: Duration?

    package init(selection: Selection, actor: String, reason: String, lockWait: Duration? = nil) {
        self.selection = selection
        self.actor = actor
        self.reason = reason
        self.lockWait = lockWait
    }
}
