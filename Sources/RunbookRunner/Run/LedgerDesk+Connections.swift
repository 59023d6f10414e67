import DatabaseAccess
import LedgerStore
import RunbookModel

/// How many connections this runner's workers have.
extension LedgerDesk {
    /// Whether a worker may hold a connection: as many as there is room for, the first ones.
    func mayWork(_ worker: Int) -> Bool { worker <= room.count }

    /// Notes that a worker has closed its connections. When the last one too many has, the others may know at once.
    func rested(_ worker: Int) {
        holding.remove(worker)
        guard holding.count == room.count else { return }
        do throws(DatabaseError) { try shareConnections() } catch { fail(error) }
    }

    /// Makes the runner's share anew.
    func shareConnections() throws(DatabaseError) {
        guard let run, let fleet else { return }
        let perServer = fleet.plan.manifest.concurrency.perServer
        // Those that will rest count until they do.
        let share = try insisting { ledger throws(DatabaseError) in
            try ledger.takeConnections(
                runner, run: run.id, perServer: perServer, reserved: ledger.dialect == .postgresql ? 1 : 0,
                held: holding.count, wanted: ceilings.max() ?? 1)
        }
        let before = room.count
        room.renew(share: share)
        // What a dead runner holds is free sooner than its silence tells.
        if room.count == 0 { try buryTheDead(of: run.id) }
        if room.count > before { wake() }
    }

    /// A server took no more connections: fewer are tried for a while.
    func takeRefusal() {
        let before = room.count
        room.refuse(held: holding.count - 1)
        guard before > room.count, !hasToldOfRefusal else { return }
        hasToldOfRefusal = true
        events?.send(.message("A server takes no more connections; working on fewer tenants at once."))
    }
}
