import RunbookModel

/// What was seen of one tenant's transaction.
struct RehearsalSights {
    var heldMS = 0
    var locks: [RelationLock] = []
}
