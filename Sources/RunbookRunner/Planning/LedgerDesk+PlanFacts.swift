import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// What a plan tells besides its decisions.
struct PlanFacts: Sendable {
    var durations: [Identity: SeenDuration] = [:]
    var locks: [LockList.Holder] = []
    /// Servers that were not to be had, and why.
    var away: [String: String] = [:]
    var preflight: [Int: [Identity: PreflightAnswer]] = [:]
    var notices: [String] = []
}

extension LedgerDesk {
    /// Tenants whose history says how long runbooks take, an even selection of all.
    private static let sampledTenants = 300
    /// What is looked up in all: tenants times runbooks.
    private static let lookups = 15_000

    /// How long the pending runbooks took so far.
    func durations(_ fleet: PlannedFleet) throws(ServiceError) -> [Identity: SeenDuration] {
        guard ledger != nil else { return [:] }
        let pending = fleet.counts { $0 == .run }
        let runbooks = fleet.plan.runbooks.map(\.identity).filter { pending[$0, default: 0] > 0 }
        guard !runbooks.isEmpty else { return [:] }
        let all = fleet.plan.allTenants
        let count = min(all.count, max(20, min(Self.sampledTenants, Self.lookups / runbooks.count)))
        let tenants = (0..<count).map { all.id(at: $0 * all.count / count) }
        return try read { ledger throws(DatabaseError) in try ledger.durations(of: runbooks, in: tenants + [""]) }
    }

    /// Who took long in one of the last runs; nil where all of them begin at once anyway.
    func longTenants(_ ledger: Ledger, _ fleet: PlannedFleet) -> LedgerQuestion<[String: Int]>? {
        guard fleet.unsettledCount > (ceilings.min() ?? 1) else { return nil }
        let plan = fleet.plan
        // A few of many are found by their names, all by the runs.
        let isFew = fleet.unsettledCount <= min(FleetPlan.pageSize, plan.allTenants.count / 2)
        let tenants = isFew ? fleet.unsettled.map { plan.tenantID(at: $0.place) } : nil
        return ledger.longTenants(among: tenants, atLeast: LongestFirst.shortest)
    }

    /// Who holds locks in the places that have something to do: one question for each server, and one to the ledger for
    /// tenants in files. A server that cannot be reached keeps its tenants from being worked on.
    func seeingLocks(_ fleet: PlannedFleet, _ facts: PlanFacts) -> PlanFacts {
        var facts = facts
        var servers: [String: LockedServer] = [:]
        var known: [String: String] = [:]
        var hasFiles = false
        let runs = fleet.outlooks.map { $0.has(.run) }
        // With one address for all, none has to be made up for each.
        let common = fleet.plan.tenants.commonURL?.revealed
        for (place, number) in fleet.unsettled where runs[number] {
            let isOwn = place == fleet.plan.workspacePlace
            let address =
                isOwn ? manifestLedger.url.revealed : common ?? fleet.plan.member(at: place).target.url.revealed
            guard !address.hasPrefix("sqlite:") else {
                hasFiles = true
                continue
            }
            // Many tenants have the same address.
            if let server = known[address] {
                servers[server]?.places.append(place)
                continue
            }
            guard let url = try? ConnectionURL(parsing: address) else { continue }
            known[address] = url.server
            servers[url.server, default: LockedServer(url: url)].places.append(place)
        }
        for (name, server) in servers.sorted(by: { $0.key < $1.key }) {
            do throws(DatabaseError) {
                facts.locks += try holders(on: server, fleet.plan)
            } catch {
                let reason = "\(error)"
                if error.code == .unreachable, TransientCause(sqlState: error.sqlState) != .tooManyConnections {
                    facts.away[name] = reason
                } else {
                    facts.notices.append("Who holds locks there could not be asked: \(reason)")
                }
            }
        }
        if hasFiles {
            do throws(ServiceError) { facts.locks += try workersInFiles(fleet) } catch {
                facts.notices.append("Who works on the files could not be asked: \(error.message)")
            }
        }
        return facts
    }

    private func holders(on server: LockedServer, _ plan: FleetPlan) throws(DatabaseError) -> [LockList.Holder] {
        let session: any DatabaseSession
        let isOurs = ledger?.session.dialect == .postgresql && server.url.revealed == manifestLedger.url.revealed
        if isOurs, let ours = ledger?.session {
            session = ours
        } else {
            session = try opener.open(
                server.url, SessionOptions(applicationName: "muster/locks", isReadOnly: true))
        }
        defer { if !isOurs { session.close() } }
        return try server.holders(on: session, plan)
    }

    /// Files are locked without names; the ledger knows which runner has taken which of them.
    private func workersInFiles(_ fleet: PlannedFleet) throws(ServiceError) -> [LockList.Holder] {
        guard ledger != nil else { return [] }
        let work = try read { ledger throws(DatabaseError) in try ledger.workUnderWay(limit: 1000) }
        let database = RunbookService.masked(manifestLedger.url)
        return work.filter { fleet.plan.place(of: $0.tenant) != nil }.map {
            LockList.Holder(
                tenant: $0.tenant.nilIfEmpty, level: $0.tenant.isEmpty ? "workspace runbook" : "tenant",
                mode: "exclusive", database: database, pid: $0.pid, application: "muster/\($0.runner)",
                client: $0.host, since: $0.since)
        }
    }
}
