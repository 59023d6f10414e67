import LedgerStore
import RunbookModel

/// What of its work the desk lays down for workers to take.
extension LedgerDesk {
    /// Takes back what lies on the tray: from here on who wants work comes to the desk.
    func gather() {
        let (jobs, done) = tray.clear()
        results += done
        if !jobs.isEmpty { claimed = jobs + claimed }
    }

    /// Lays down what is claimed, where each job is free to begin as soon as another of its place ends: nothing counts
    /// failures or wants a moment to itself.
    func deal() {
        guard let fleet, !tray.isOpen, underWay > 0, !isOver, stopReason == nil, !isYielding, parked.isEmpty,
            closing.isEmpty, holding.count <= room.count, sharedPlaces.isEmpty, !rules.contains(where: \.isInForce),
            hooks[.beforeTenant] == nil, hooks[.afterTenant] == nil
        else { return }
        layDown(fleet, isLast: isDrained)
    }

    /// - Parameter isLast: whether the ledger has no more for now.
    private func layDown(_ fleet: PlannedFleet, isLast: Bool) {
        guard let place = claimed.first?.stage else { return }
        let jobs = claimed.prefix { $0.stage == place }
        claimed.removeFirst(jobs.count)
        // Enough for as long as it takes to fetch more, so that nobody waits for that.
        let low = isLast || !claimed.isEmpty ? nil : min(max(room.count, chunk / 4), chunk / 2)
        tray.lay(Array(jobs), low: low) { fleet.assignment($0) }
    }

    /// Fetches more while workers go on with what is left.
    func restock() {
        flush()
        let wanted = chunk - tray.count
        guard tray.isOpen, let fleet, claimed.isEmpty, wanted > 0, ContinuousClock.now >= holdsBack else { return }
        fetch(limit: wanted)
        // What the ledger said may have ended it.
        guard tray.isOpen else { return }
        layDown(fleet, isLast: claimed.count < wanted)
        if !sleepers.isEmpty { wake() }
    }
}
