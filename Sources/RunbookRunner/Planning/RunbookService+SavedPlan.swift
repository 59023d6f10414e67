import DatabaseAccess
import LedgerStore
import RunbookModel

extension RunbookService {
    /// Refuses when anything has moved since the plan was saved. What a run has done that was begun with this very plan,
    /// and is still open, does not count: it goes on.
    func refuseStale(
        _ saved: SavedPlan, _ fleet: PlannedFleet, _ identity: String, _ desk: LedgerDesk
    ) async throws(ServiceError) {
        let report = PlanReport(fleet, PlanFacts(), concurrency: nil, ledgerExists: true)
        let now = SavedPlan(fleet, report, born: try await desk.born)
        let movement = PlanMovement(since: saved, now: now)
        guard !movement.findings.isEmpty else { return }
        if movement.isOfLedgerAlone, try await desk.hasOpenRun(identity, begunWith: saved.fingerprint) { return }
        throw Self.stale(movement.findings, saved, fleet.plan.manifest)
    }

    static func stale(_ findings: [String], _ saved: SavedPlan, _ manifest: Manifest) -> ServiceError {
        let command = command("plan", nil, manifest, saved.selection.selection)
        return ServiceError(
            .stalePlan,
            "The plan of \(saved.madeAt) does not hold any more: \(findings.joined(separator: "; ")). Nothing was "
                + "touched. Look at a new one (\(command) --out FILE), or apply without --plan what is pending now.")
    }
}

extension LedgerDesk {
    /// When the ledger was made, in milliseconds since 1970; nil while there is none.
    var born: Int? {
        get throws(ServiceError) {
            guard ledger != nil else { return nil }
            return try read { ledger throws(DatabaseError) in try ledger.born() }
        }
    }

    func hasOpenRun(_ identity: String, begunWith plan: String) throws(ServiceError) -> Bool {
        guard ledger != nil else { return false }
        return try read { ledger throws(DatabaseError) in try ledger.hasOpenRun(identity, begunWith: plan) }
    }
}
