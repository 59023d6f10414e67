import DatabaseAccess

extension Ledger {
    /// Gives what a run has done in tenants whose jobs were cancelled meanwhile its rows in the history: their runner may
    /// not write of these jobs any more, and may be gone. The run's row is locked: whoever does it looks for what others
    /// have written.
    func writeUntold(ofLocked run: String) throws(DatabaseError) {
        try execute(
            """
            insert into \(sql.attempts) (workspace, tenant, runbook, key, attempt, run_id, runner, state, checksum,
                started_at, finished_at, duration_ms, rows_affected)
            select e.workspace, e.tenant, e.runbook, e.key, e.attempt, e.run_id, e.runner, e.state, e.checksum,
                e.started_at, e.finished_at,
                \(sql.milliseconds("e.finished_at")) - \(sql.milliseconds("e.started_at")), e.rows_affected
            from \(sql.jobs) j \(sql.ordered) \(sql.executions) e on e.workspace = $1 and e.tenant = j.tenant
            -- Asked once, and nearly always the end of it.
            where exists (select 1 from \(sql.jobs) c where c.run_id = $2 and c.state = 'cancelled' and c.attempt > 0)
                and j.run_id = $2 and j.state = 'cancelled' and j.attempt > 0
                and e.run_id = $2 and e.state in \(LedgerSQL.ended) and not exists (
                    select 1 from \(sql.attempts) a
                    where a.workspace = e.workspace and a.tenant = e.tenant and a.runbook = e.runbook
                        and a.key = e.key and a.attempt = e.attempt and a.state = e.state)
            """, [.text(workspace), .text(run)])
    }

    /// The same for a run that is complete.
    func writeUntold(of run: String) throws(DatabaseError) {
        if try answer(to: mayBeUntold(run)) { try writeUntold(ofLocked: run) }
    }

    /// Whether a run is complete and anything in it was cancelled; locks its row then.
    func mayBeUntold(_ run: String) -> LedgerQuestion<Bool> {
        LedgerQuestion(
            "select 1 from \(sql.runs) where id = $1 and status = 'completed' and cancelled > 0 \(sql.forUpdate)",
            [.text(run)]
        ) { !$0.isEmpty }
    }

    /// The last runs in which anything was cancelled; some runner may have been killed behind that.
    var lastCancelled: LedgerQuestion<[String]> {
        LedgerQuestion(
            """
            select id from \(sql.runs) where workspace = $1 and status = 'completed' and cancelled > 0
            order by started_at desc, id desc limit 3
            """, [.text(workspace)]
        ) { $0.compactMap { $0[0].text } }
    }
}
