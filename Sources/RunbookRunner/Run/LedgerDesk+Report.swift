import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

extension LedgerDesk {
    func prepare(events: any EventSink, lockWait: Duration?, stop: StopSwitch, applicationName: String? = nil) {
        self.events = events
        self.stop = stop
        self.lockWait = lockWait
        if let applicationName { self.applicationName = applicationName }
    }

    var dialect: DatabaseDialect { ledger?.dialect ?? .sqlite }

    func standingFailures() throws(ServiceError) -> [Failure] {
        guard ledger != nil else { return [] }
        return try asking { ledger throws(DatabaseError) in
            try ledger.reading { () throws(DatabaseError) in try ledger.standingFailures(limit: 10_000) }
        }
    }

    /// What the ledger holds of the run, after it; and, before anybody may say 0, that everything in scope is done.
    func report(
        _ fleet: PlannedFleet, run: StartedRun, notices: [String], request: ApplyRequest, signal: Int32?,
        startedAt: Date
    ) throws(ServiceError) -> Report {
        let manifest = fleet.plan.manifest
        let after = try plan(fleet.plan)
        let hasHooks = manifest.hooks.surroundTenants
        let (tally, records, done, cancelled, isOld) = try asking { ledger throws(DatabaseError) in
            try ledger.reading(
                ledger.tally(ofRun: run.id), ledger.record(ofRun: run.id), ledger.summaries(ofRun: run.id),
                ledger.cancelNotes(ofRun: run.id), ledger.isAnythingOld(retention))
        }
        mayFold = isOld
        let isClean = tally.all.succeeded + tally.all.skipped == tally.all.total
        let failures =
            isClean && !hasHooks
            ? []
            : try asking { ledger throws(DatabaseError) in
                try ledger.reading { () throws(DatabaseError) in
                    try ledger.failures(ofRun: run.id, hasHooks: hasHooks)
                }
            }
        let record = records.first
        let verdict = RunVerdict.of(
            tally.all, lockBlocked: tally.lockBlocked, drifted: tally.drifted,
            signal: signal)
        var exit = verdict.exit
        var notices = notices
        if exit == .done, after.unsettledCount > 0 {
            exit = .partial
            notices.append(
                "The run is complete, but \(after.unsettledCount) tenants still have something "
                    + (request.kind == .apply ? "undone." : "done that was to be undone."))
        }
        for (note, count) in cancelled {
            notices.append("\(count) \(count == 1 ? "tenant was" : "tenants were") \(note).")
        }
        var outcome = verdict.outcome
        if record?.outcome == .cancelled {
            outcome = .cancelled
        } else if superseded > 0 {
            notices.append("\(superseded) jobs were taken over by another runner.")
        }
        var report = Report(
            command: request.command, ok: exit == .done, exitCode: Int(exit.rawValue), outcome: outcome,
            retryable: verdict.isRetryable, workspace: manifest.workspace, phase: request.selection.phase,
            counts: tally.tenants, failures: failures, notices: notices, startedAt: startedAt,
            finishedAt: startedAt, durationMS: 0)
        report.causes = CauseGrouping(failures).causes
        report.runbooks = summaries(fleet, after, done)
        report.next = exit == .done ? nil : RunbookService.nextCommand(manifest, request)
        if let record {
            report.run = Report.RunFacts(
                id: record.id, identity: record.identity, release: record.release, joined: run.joined,
                initiator: record.initiator, stopReason: record.stopReason, kind: record.kind, undoes: record.undoes)
        }
        return report
    }

    /// Per runbook: what this run did, what was done before (skipped), and what is still undone (blocked).
    private func summaries(
        _ before: PlannedFleet, _ after: PlannedFleet, _ done: [Identity: Report.RunbookSummary]
    ) -> [Report.RunbookSummary] {
        let plan = before.plan
        let open = after.counts { $0 != .done && $0 != .notApplicable }
        let summaries = plan.runbooks.map { runbook in
            var summary =
                done[runbook.identity]
                ?? Report.RunbookSummary(id: runbook.id, key: runbook.key, checksum: runbook.checksum)
            summary.checksum = runbook.checksum
            let total = before.countApplying(runbook)
            let undone = open[runbook.identity] ?? 0
            let blocked = max(0, undone - summary.counts.failed - summary.counts.unknown)
            summary.counts.add(.blocked, blocked)
            summary.counts.add(.skipped, max(0, total - undone - summary.counts.succeeded))
            return summary
        }
        return plan.rollback?.run == nil ? summaries : summaries.filter { $0.counts.total > 0 }
    }
}
