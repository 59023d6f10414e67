import DatabaseAccess
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// How many tenants were seen last; nil when never, or when there is no ledger.
    var seenTenants: Int? { ledger?.seenTenants }

    /// Asks the ledger what each tenant still needs. Without a ledger everything is pending.
    ///
    /// - Parameter identity: of the run that this would be; where there is nothing to do, one may still be open: its
    ///   runner died between its last work and the end of the run.
    func plan(_ plan: FleetPlan, identity: String? = nil) throws(ServiceError) -> PlannedFleet {
        var fleet = PlannedFleet(plan: plan)
        let hasHooks = plan.manifest.hooks.hasFinal
        guard ledger != nil else {
            for page in plan.pages {
                fleet.count(page)
                for index in page.tenants.indices { fleet.add(index, of: page, .none, ofWorkspace: [:]) }
            }
            return fleet
        }
        return try asking { ledger throws(DatabaseError) in
            var fleet = fleet
            var pages = plan.pages
            var open: LedgerScope?
            // Nearly always that is the whole answer, one short question a page.
            while open == nil, let page = pages.next() {
                fleet.count(page)
                guard plan.rollback == nil else {
                    open = page
                    break
                }
                let glance = try ledger.glance(page, unlessOpen: identity, orDueHooks: hasHooks)
                fleet.unlisted = glance.unlisted
                if !glance.isSettled { open = page }
            }
            guard let open else {
                if plan.placeCount == 0, let identity { fleet.hasOpenRun = try hasOpenRun(ledger, identity, hasHooks) }
                return fleet
            }
            var after = pages.next()
            func readAll() throws(DatabaseError) {
                let ofWorkspace = try recordedOfWorkspace(ledger, plan)
                var next: LedgerScope? = open
                while let page = next {
                    try ledger.forEachUnsettled(in: page) { index, records throws(DatabaseError) in
                        fleet.add(index, of: page, records, ofWorkspace: ofWorkspace)
                    }
                    next = after
                    after = pages.next()
                    if let next { fleet.count(next) }
                }
                try blockUnfinishedPredecessors(ledger, &fleet)
            }
            // One question alone is one message with its transaction.
            let isMore = plan.rollback != nil || plan.manifest.runbooks.contains { $0.scope == .workspace }
            if after == nil, !isMore { try readAll() } else { try ledger.reading(readAll) }
            if !fleet.hasWork, let identity { fleet.hasOpenRun = try hasOpenRun(ledger, identity, hasHooks) }
            return fleet
        }
    }

    /// Whether a run of that identity is open.
    func hasOpenRun(_ identity: String) throws(ServiceError) -> Bool {
        guard ledger != nil else { return false }
        return try asking { ledger throws(DatabaseError) in try hasOpenRun(ledger, identity, false) }
    }

    private func hasOpenRun(
        _ ledger: Ledger, _ identity: String, _ orDueHooks: Bool
    ) throws(DatabaseError) -> Bool {
        try ledger.reading { () throws(DatabaseError) in
            try ledger.hasOpenRun(identity, orDueHooks: orDueHooks)
        }
    }

    /// How many tenants of the scope have something undone, asked anew.
    func countUnsettled(_ fleet: PlannedFleet) throws(ServiceError) -> Int {
        try asking { ledger throws(DatabaseError) in
            try ledger.reading { () throws(DatabaseError) in
                var count = 0
                for page in fleet.plan.pages { count += try ledger.countUnsettled(in: page) }
                return count
            }
        }
    }

    /// What is on record of the runbooks that run once: tenants' runbooks may come after them.
    private func recordedOfWorkspace(
        _ ledger: Ledger, _ plan: FleetPlan
    ) throws(DatabaseError) -> [Identity: RecordedExecution] {
        let runbooks = plan.manifest.runbooks
        let once = runbooks.indices.filter { runbooks[$0].scope == .workspace }
        guard !once.isEmpty else { return [:] }
        return try ledger.recorded(tenant: "", identities: once.map { runbooks[$0].identity })
    }

    /// A runbook that runs once and comes after a tenants' runbook which is not selected needs that one done everywhere.
    private func blockUnfinishedPredecessors(_ ledger: Ledger, _ fleet: inout PlannedFleet) throws(DatabaseError) {
        let plan = fleet.plan
        guard plan.rollback == nil else { return try refuseSupports(ledger, &fleet) }
        for runbook in plan.runbooks where runbook.scope == .workspace {
            for id in runbook.after {
                guard let before = plan.manifest.runbooks.first(where: { $0.id == id }), before.scope == .tenant,
                    !plan.planner.selected.contains(before.identity)
                else { continue }
                var alone = plan.selection
                alone.phase = nil
                alone.runbooks = [before.identity.description]
                let everywhere = FleetPlan(
                    manifest: plan.manifest, selection: alone, all: plan.allTenants, tenants: plan.allTenants,
                    pageSize: plan.pageSize)
                var open = 0
                for page in everywhere.pages { open += try ledger.countUnsettled(in: page) }
                guard open > 0 else { continue }
                fleet.blockWorkspace(
                    runbook.identity, reason: "after \(id), which is not done on \(open) tenants")
            }
        }
    }
}

extension LedgerDesk {
    /// Asks the tenants' source on the desk's thread: it may block. Where the ledger is, its session serves.
    func asks(_ directory: TenantDirectory) throws(ServiceError) -> TenantSet {
        var directory = directory
        directory.stop = stop
        directory.ledger = ledger.map { ($0.session, manifestLedger.url) }
        return try directory.all()
    }

    /// Refuses, before anything is touched, work that needs a session where a pooler shares connections between
    /// transactions. Asked once of each server that has such work.
    func refuseSharedSessions(_ fleet: PlannedFleet) throws(ServiceError) {
        let settings = fleet.plan.manifest.ledger
        var addresses: Set<String> = []
        var servers: Set<String> = []
        for (place, number) in fleet.unsettled {
            let steps = fleet.outlooks[number].steps
            guard let first = steps.first(where: { $0.decision == .run }) else { continue }
            let target = fleet.plan.member(at: place).target
            let isFile = target.url.revealed.hasPrefix("sqlite:")
            // Tenants in files are locked at the ledger, whatever they run.
            let step = isFile ? first : steps.first { $0.decision == .run && $0.runbook.needsSession }
            guard let step else { continue }
            let check =
                isFile
                ? PoolerCheck(
                    url: settings.directURL ?? settings.url, isDirect: settings.directURL != nil, mode: settings.pooler)
                : PoolerCheck(
                    url: target.directURL ?? target.url, isDirect: target.directURL != nil,
                    mode: fleet.plan.manifest.tenants.target.pooler)
            // Many tenants have the same text; many texts lead to the same server.
            guard addresses.insert(check.url.revealed).inserted, servers.insert(check.server).inserted,
                try check.refuses(opener)
            else { continue }
            throw ServiceError(
                .pooler,
                "\(step.runbook.id) needs a session of its own, but \(PoolerCheck.finding) \(PoolerCheck.advice)")
        }
    }

    /// Looks, once per target database and role, whether row security would hold.
    func checkIsolation(
        of members: TenantSet.Members, _ manifest: Manifest
    ) throws(ServiceError) -> [String] {
        var notices: [String] = []
        var seen: Set<IsolationCheck.Place> = []
        for member in members {
            let check = IsolationCheck(target: member.target, tenant: member.tenant.id, opener: opener)
            guard let place = check.place, seen.insert(place).inserted else { continue }
            if let notice = try check.run() { notices.append(notice) }
        }
        return notices
    }
}
