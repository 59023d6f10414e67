import DatabaseAccess
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// What runs once is not undone while a tenants' runbook that stands after it is done anywhere and stays.
    func refuseSupports(_ ledger: Ledger, _ fleet: inout PlannedFleet) throws(DatabaseError) {
        let plan = fleet.plan
        let undone = fleet.counts { $0 != .done && $0 != .notApplicable }
        let here = fleet.outlook(at: plan.workspacePlace)?.steps.filter { $0.decision == .run } ?? []
        for runbook in here.map(\.runbook) {
            for id in runbook.after {
                guard let follower = plan.manifest.runbooks.first(where: { $0.id == id }), follower.scope == .tenant
                else { continue }
                let everywhere = FleetPlan(
                    manifest: plan.manifest, selection: Selection(runbooks: [follower.identity.description]),
                    all: plan.allTenants, tenants: plan.allTenants, pageSize: plan.pageSize,
                    rollback: RollbackScope(declared: plan.rollback?.declared ?? []))
                var found = PlannedFleet(plan: everywhere)
                for page in everywhere.pages {
                    try ledger.forEachUnsettled(in: page) { index, records throws(DatabaseError) in
                        found.add(index, of: page, records, ofWorkspace: [:])
                    }
                }
                let open = found.counts { $0 != .done && $0 != .notApplicable }[follower.identity] ?? 0
                guard open > undone[follower.identity] ?? 0 else { continue }
                fleet.blockWorkspace(
                    runbook.identity, reason: "after \(id), which is done and is not rolled back",
                    refusal: .supports(id))
            }
        }
    }

    /// Refuses to do and to undo at the same time.
    func refuseOpenRun(besides kind: RunKind) throws(ServiceError) {
        guard ledger != nil else { return }
        if let other = try read({ ledger throws(DatabaseError) in try ledger.openRun(otherThan: kind) }) {
            throw Self.waiting(for: other, kind)
        }
    }

    static func waiting(for run: String, _ kind: RunKind) -> ServiceError {
        let (open, verb) = kind == .apply ? ("A rollback", "rolled back") : ("An apply", "applied")
        return ServiceError(
            .run,
            "\(open), run \(run), is open, and nothing is \(kind == .apply ? "applied" : "rolled back") while something "
                + "is \(verb). Nothing was touched. Wait for it, or start it again, which goes on with it; or end it: "
                + "muster cancel \(run).")
    }

    /// What a run has finished, and is not undone or done again since: which tenants did what.
    ///
    /// - Throws: `.unknownName` when there is no such run, `.run` when it cannot be taken back.
    func finished(by run: String) throws(ServiceError) -> (sets: [Set<Identity>], setOf: [String: Int]) {
        let known = try read { ledger throws(DatabaseError) in try ledger.unfinished(ofRun: run) }
        guard let known else {
            throw ServiceError(
                .unknownName, "There is no run \(run) in workspace \"\(workspace)\"; `muster runs` lists them.")
        }
        guard known.kind == .apply else {
            throw ServiceError(.run, "Run \(run) is a rollback: muster apply does again what it took back.")
        }
        guard known.status == .completed else {
            throw ServiceError(
                .run, "Run \(run) is still open: muster apply goes on with it, muster cancel \(run) ends it.")
        }
        guard !known.isFolded else {
            throw ServiceError(
                .run,
                "What run \(run) did was folded away (ledger.retention): which tenants it was is not known any more. "
                    + "muster rollback RUNBOOK undoes a runbook wherever it is done.")
        }
        return try read { ledger throws(DatabaseError) in
            var done: [String: Set<Identity>] = [:]
            try ledger.finished(byRun: run) { done[$0, default: []].insert($1) }
            var sets: [Set<Identity>] = []
            var numbers: [Set<Identity>: Int] = [:]
            var setOf: [String: Int] = [:]
            setOf.reserveCapacity(done.count)
            for (tenant, identities) in done {
                let number = numbers[identities] ?? sets.count
                if number == sets.count {
                    sets.append(identities)
                    numbers[identities] = number
                }
                setOf[tenant] = number
            }
            return (sets, setOf)
        }
    }
}
