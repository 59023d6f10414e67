import DatabaseAccess
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Stops this runner if somebody has cancelled its run: nothing more is begun, and what is under way may finish
    /// within the grace.
    func noticeCancelling() throws(DatabaseError) {
        guard let run, !isOver else { return }
        guard try insisting({ ledger throws(DatabaseError) in try ledger.isCancelled(run.id) }) else {
            return try noticeCancelledTenants(of: run.id)
        }
        isOver = true
        gather()
        claimed = []
        for (assignment, _) in parked where assignment.isAttended {
            conclude(assignment, JobResult(job: assignment.job, state: .queued, executions: assignment.outcomes))
        }
        parked.removeAll { $0.assignment.isAttended }
        stop.halt()
        events?.send(.message("The run was cancelled. What is under way may finish."))
        wake()
    }

    /// Gives up tenants that somebody has cancelled. What waits is cancelled here, what is under way by its worker.
    private func noticeCancelledTenants(of run: String) throws(DatabaseError) {
        guard underWay > 0 || !claimed.isEmpty || !parked.isEmpty else { return }
        gather()
        let asked = try insisting { ledger throws(DatabaseError) in
            try ledger.cancelledTenants(of: run, runner: runner)
        }
        let news = cancelled.add(asked)
        guard !news.isEmpty else { return }
        for job in claimed {
            guard let note = news[job.tenant] else { continue }
            results.append(JobResult(job: job, state: .cancelled, reason: .stopped, message: note))
        }
        claimed.removeAll { news[$0.tenant] != nil }
        for (assignment, _) in parked {
            guard let note = news[assignment.tenant.id] else { continue }
            conclude(assignment, assignment.cancelled(because: note))
        }
        parked.removeAll { news[$0.assignment.tenant.id] != nil }
        let names = news.keys.sorted()
        events?.send(
            .message(
                "Cancelled: \(names.prefix(5).joined(separator: ", "))"
                    + (names.count > 5 ? " and \(names.count - 5) more tenants." : ".")
                    + " What is under way there may finish."))
        wake()
    }

    /// Ends a run.
    ///
    /// - Throws: `.unknownName` when there is none with that id.
    func cancel(
        _ run: String, note: AuditNote
    ) throws(ServiceError) -> (cancelling: Cancelling, record: RunRecord?) {
        let answer = try asking { ledger throws(DatabaseError) in
            (try ledger.cancelRun(run, note: note), try ledger.run(run))
        }
        guard let cancelling = answer.0 else { throw noRun(run) }
        return (cancelling, answer.1)
    }

    /// Cancels tenants of a run, which goes on with the others.
    ///
    /// - Throws: `.unknownName` when there is no such run, tenant or label, or nobody is meant.
    func cancel(
        _ selection: Selection, of run: String, note: AuditNote
    ) throws(ServiceError) -> (cancelling: TenantCancelling, record: RunRecord?) {
        let seen = try asking { ledger throws(DatabaseError) in
            try ledger.run(run) == nil
                ? nil : try ledger.seenTenants(ofRun: run, withLabels: !selection.match.isEmpty)
        }
        guard let seen else { throw noRun(run) }
        let tenants: [String]
        do throws(TenantSetError) { tenants = try seen.selected(by: selection) } catch {
            throw ServiceError(.unknownName, "\(error)")
        }
        guard !tenants.isEmpty else {
            throw ServiceError(.unknownName, "No tenant that the ledger has seen is meant by that.")
        }
        let answer = try asking { ledger throws(DatabaseError) in
            (try ledger.cancel(tenants, of: run, note: note), try ledger.run(run))
        }
        guard let cancelling = answer.0 else { throw noRun(run) }
        return (cancelling, answer.1)
    }

    private func noRun(_ run: String) -> ServiceError {
        ServiceError(.unknownName, "There is no run \(run) in workspace \"\(workspace)\"; `muster runs` lists them.")
    }
}
