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
                runner, run: run.id, perServer: perServer, reserved: reserved, held: holding.count, wanted: wanted)
        }
        let before = room.count
        room.renew(share: share)
        // What a dead runner holds is free sooner than its silence tells.
        if room.count == 0 { try buryTheDead(of: run.id) }
        if room.count > before { wake() }
    }

    /// Lets the workers' first connections begin where all tenants are beside the ledger: in a run that is new no other
    /// runner has any.
    func expectWorkers() {
        guard let fleet, !fleet.livesElsewhere, let first = fleet.outlooks.first, !first.isOfWorkspace,
            fleet.plan.member(at: first.place).target.url == manifestLedger.url
        else { return }
        do throws(DatabaseError) {
            opener.expect(
                min(aloneShare, ceilings.first ?? 1), at: try ConnectionURL(parsing: manifestLedger.url.revealed),
                SessionOptions(applicationName: applicationName))
        } catch {
            // The ledger is open: its address has been read before.
            assertionFailure("\(error)")
        }
    }

    /// Its share where no other runner is.
    var aloneShare: Int {
        guard let perServer = fleet?.plan.manifest.concurrency.perServer else { return 0 }
        return ConnectionShare(perServer: perServer, runners: 1, held: 0, reserved: reserved).workers(wanted: wanted)
    }

    /// What it needs besides its workers.
    var reserved: Int { dialect == .postgresql ? 1 : 0 }

    private var wanted: Int { ceilings.max() ?? 1 }

    /// A server took no more connections: fewer are tried for a while.
    func takeRefusal() {
        let before = room.count
        room.refuse(held: holding.count - 1)
        guard before > room.count, !hasToldOfRefusal else { return }
        hasToldOfRefusal = true
        events?.send(.message("A server takes no more connections; working on fewer tenants at once."))
    }
}
