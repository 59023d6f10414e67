import DatabaseAccess
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Stops this runner if somebody has cancelled its run: nothing more is begun, and what is under way may finish
    /// within the grace.
    func noticeCancelling() throws(DatabaseError) {
        guard let run, !isOver else { return }
        guard try insisting({ ledger throws(DatabaseError) in try ledger.isCancelled(run.id) }) else { return }
        isOver = true
        claimed = []
        for (assignment, _) in parked where assignment.isAttended {
            conclude(assignment, JobResult(job: assignment.job, state: .queued, executions: assignment.outcomes))
        }
        parked.removeAll { $0.assignment.isAttended }
        stop.halt()
        events?.send(.message("The run was cancelled. What is under way may finish."))
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
        guard let cancelling = answer.0 else {
            throw ServiceError(
                .unknownName, "There is no run \(run) in workspace \"\(workspace)\"; `muster runs` lists them.")
        }
        return (cancelling, answer.1)
    }
}
