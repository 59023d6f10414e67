package import DatabaseAccess
import RunbookModel

/// What cancelling a run came to.
package struct Cancelling: Sendable, Hashable {
    /// The run was open, and this call has ended it.
    package var wasOpen: Bool
    /// How many jobs were open, the workspace's own among them.
    package var jobs: Int
    /// How many runners of the run are alive: each stops when it looks next.
    package var runners: Int
}

extension Ledger {
    /// Ends an open run in one transaction: what is open in it is cancelled, who did it and why is kept, and a run that
    /// had only to be completed ends as its jobs say.
    ///
    /// Runners under way lose their jobs by it: what they write about them afterwards is refused.
    /// - Returns: nil when there is no such run.
    package func cancelRun(_ run: String, note: AuditNote) throws(DatabaseError) -> Cancelling? {
        let cancelling = try writing { () throws(DatabaseError) -> Cancelling? in
            let found = try row(
                "select status from \(sql.runs) where workspace = $1 and id = $2 \(sql.forUpdate)",
                [.text(workspace), .text(run)])
            guard let found else { return nil }
            let runners = try countOtherRunners(of: run, than: "")
            guard found[0].text != RunStatus.completed.rawValue else {
                return Cancelling(wasOpen: false, jobs: 0, runners: runners)
            }
            // Who writes results locks several jobs in an order of his own; after them, not between them.
            if dialect == .postgresql { try execute("lock table \(sql.jobs) in share row exclusive mode") }
            let jobs = try cancelOpen(run, because: note.sentence)
            try execute(
                """
                insert into \(sql.events) (workspace, run_id, kind, actor, reason, detail)
                values ($1, $2, $3, $4, $5, $6)
                """,
                [
                    .text(workspace), .text(run), .text(note.kind), .text(note.actor), .text(note.reason),
                    .text("\(jobs) jobs were open"),
                ])
            try Failpoint.reach(.cancelRun, .before)
            return Cancelling(wasOpen: true, jobs: jobs, runners: runners)
        }
        try Failpoint.reach(.cancelRun, .after)
        return cancelling
    }

    /// Whether the run was ended before its work was.
    package func isCancelled(_ run: String) throws(DatabaseError) -> Bool {
        try row(
            "select 1 from \(sql.runs) where id = $1 and status = 'completed' and outcome = 'cancelled'",
            [.text(run)]) != nil
    }

    /// Cancels what is open of a run whose row is locked, also what is under way, and completes it.
    ///
    /// - Returns: how many jobs were open.
    @discardableResult
    func cancelOpen(_ run: String, because reason: String) throws(DatabaseError) -> Int {
        let jobs = try result(
            of: """
                update \(sql.jobs) set state = 'cancelled', reason = 'stopped', finished_at = \(sql.clock)
                where run_id = $1 and state in ('queued', 'running')
                """, [.text(run)]
        ).rowsAffected
        guard jobs > 0 else {
            try complete(run, try jobTally(run).outcome)
            return 0
        }
        try execute("update \(sql.runs) set stop_reason = $2 where id = $1", [.text(run), .text(reason)])
        try complete(run, .cancelled)
        return jobs
    }
}

extension AuditNote {
    /// `cancelled by octo: the wrong release`
    var sentence: String { "cancelled by \(actor)" + (reason.isEmpty ? "" : ": \(reason)") }
}
