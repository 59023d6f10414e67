package import DatabaseAccess
package import RunbookModel

/// How far a backfill has come in a tenant that keeps its receipts itself.
package struct BatchNews: Sendable {
    package var job: ClaimedJob
    package var identity: Identity
    package var checksum: String
    package var position: BatchPosition
    package var batches: Int

    package init(job: ClaimedJob, identity: Identity, checksum: String, position: BatchPosition, batches: Int) {
        self.job = job
        self.identity = identity
        self.checksum = checksum
        self.position = position
        self.batches = batches
    }
}

extension Ledger {
    /// Copies how far backfills have come from tenants' receipts into the ledger's rows, for those who look there. The
    /// receipts stay what counts; what is done is not touched, and what another runner has taken over neither. The attempt
    /// is counted when it ends.
    package func write(_ news: [BatchNews], run: String, runner: String) throws(DatabaseError) {
        guard !news.isEmpty else { return }
        try execute(over: news.map(NewsRow.init), [.text(workspace), .text(run), .text(runner)]) { rows in
            """
            insert into \(sql.executions) as e (workspace, tenant, runbook, key, state, attempt, checksum, run_id,
                runner, started_at, cursor, rows_affected, batches)
            select $1, y.tenant, y.runbook, y.key, 'running', 0, y.checksum, $2, $3, \(sql.clock), y.cursor,
                y.rows_affected, y.batches
            from \(rows) as y
            \(sql.ordered) \(sql.jobs) j on j.run_id = $2 and j.tenant = y.tenant and j.runner = $3
                and j.attempt = y.claim and j.state = 'running'
            where true order by y.tenant, y.runbook, y.key
            on conflict (workspace, tenant, runbook, key) do update set
                state = 'running', clean = null,
                started_at = case when e.state = 'running' and e.run_id = $2 and e.runner = $3 then e.started_at
                    else excluded.started_at end,
                finished_at = null, checksum = excluded.checksum, run_id = excluded.run_id, runner = excluded.runner,
                cursor = excluded.cursor, rows_affected = excluded.rows_affected, batches = excluded.batches,
                sqlstate = null, message = null, detail = null, hint = null, file = null, line = null,
                statement = null
            where e.state not in \(LedgerSQL.done) or e.checksum <> excluded.checksum
            """
        }
    }

    private struct NewsRow: LedgerRow {
        static let columns: Columns = [
            ("tenant", "text"), ("claim", "integer"), ("runbook", "text"), ("key", "text"), ("checksum", "text"),
            ("cursor", "text"), ("rows_affected", "bigint"), ("batches", "bigint"),
        ]

        var values: [DatabaseValue]

        init(_ news: BatchNews) {
            values = [
                .text(news.job.tenant), DatabaseValue(news.job.attempt), .text(news.identity.runbook),
                .text(news.identity.key), .text(news.checksum), DatabaseValue(news.position.cursor),
                DatabaseValue(news.position.rows), DatabaseValue(news.batches),
            ]
        }
    }
}
