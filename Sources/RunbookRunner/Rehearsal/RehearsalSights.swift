import RunbookModel

/// What was seen of one tenant's transaction.
struct RehearsalSights {
    var heldMS = 0
    var locks: [RelationLock] = []
    /// Of the time it took: waiting for the tenant's lock, and what only a rehearsal does.
    var notInApply: Duration = .zero
    var cost: ServerCost?
    /// Whether apply waits for the disk when it leaves the tenant: beside the ledger, which waits for all, it need not.
    var waitsAtEnd = true
}
