package import DatabaseAccess
import FoundationEssentials
package import RunbookModel

/// What cancelling some tenants of a run came to.
package struct TenantCancelling: Sendable, Hashable {
    /// The run was open.
    package var wasOpen: Bool
    /// Of those asked about that have a job in the run, in its order: the job's state before. What was queued is cancelled.
    package var before: [Job] = []
    /// How many runners of the run are alive.
    package var runners = 0

    package struct Job: Sendable, Hashable {
        package var tenant: String
        package var state: JobState
    }
}

/// Some tenants of a run that somebody has cancelled, while the run goes on with the others.
///
/// Each has an event of this kind: that is what lasts. A job that is under way meanwhile has the reason `stopped` beside
/// its state, where its runner finds it without a look at the events. Whatever of it comes back to the queue is cancelled.
extension Ledger {
    private static let kind = "cancel_tenant"

    /// Every tenant that the ledger has seen, and those of the run, by name; with their labels if asked.
    package func seenTenants(ofRun run: String, withLabels: Bool) throws(DatabaseError) -> SeenTenants {
        let decoder = JSONDecoder()
        var tenants: [Tenant] = []
        try query(
            """
            select tenant, \(withLabels ? "labels" : "null") from \(sql.tenants) where workspace = $1
            union all
            select tenant, null from \(sql.jobs) j
            where run_id = $2 and tenant <> '' and not exists (
                select 1 from \(sql.tenants) t where t.workspace = $1 and t.tenant = j.tenant)
            order by 1
            """, [.text(workspace), .text(run)]
        ) { row throws(DatabaseError) in
            var tenant = Tenant(id: row[0].text ?? "")
            if let labels = row[1].text {
                do { tenant.labels = try decoder.decode([String: String].self, from: Data(labels.utf8)) } catch {
                    throw DatabaseError(.misuse, "the labels of tenant \(tenant.id) could not be read: \(error)")
                }
            }
            tenants.append(tenant)
        }
        return SeenTenants(tenants)
    }

    /// Cancels tenants of an open run, in one transaction. What of them has not begun is cancelled at once; what is under
    /// way may end, and nothing more of it begins. A run in which nothing else is open is completed.
    ///
    /// - Returns: nil when there is no such run.
    package func cancel(
        _ tenants: [String], of run: String, note: AuditNote
    ) throws(DatabaseError) -> TenantCancelling? {
        let list = LedgerList.texts(tenants, dialect)
        let names =
            switch dialect {
            case .postgresql: "(select pg_catalog.unnest($2::text[]))"
            case .sqlite: "(select value from json_each($2))"
            }
        let cancelling = try writing { () throws(DatabaseError) -> TenantCancelling? in
            let found = try row(
                "select status from \(sql.runs) where workspace = $1 and id = $2 \(sql.forUpdate)",
                [.text(workspace), .text(run)])
            guard let found else { return nil }
            guard found[0].text != RunStatus.completed.rawValue else { return TenantCancelling(wasOpen: false) }
            // As where a run is cancelled: after those who write several jobs, not between them.
            if dialect == .postgresql { try execute("lock table \(sql.jobs) in share row exclusive mode") }
            var cancelling = TenantCancelling(wasOpen: true)
            cancelling.runners = try countOtherRunners(of: run, than: "")
            cancelling.before = try rows(
                "select tenant, state from \(sql.jobs) where run_id = $1 and tenant in \(names) order by position",
                [.text(run), list]
            ).map { row in
                TenantCancelling.Job(tenant: row[0].text ?? "", state: row[1].text.flatMap(JobState.init) ?? .queued)
            }
            try execute(
                """
                insert into \(sql.events) (workspace, run_id, tenant, kind, actor, reason, detail)
                select $3, $1, tenant, '\(Self.kind)', $4, $5, state from \(sql.jobs) j
                where run_id = $1 and tenant in \(names) and state in ('queued', 'running') and not exists (
                    select 1 from \(sql.events) e
                    where e.run_id = $1 and e.kind = '\(Self.kind)' and e.tenant = j.tenant)
                order by position
                """, [.text(run), list, .text(workspace), .text(note.actor), .text(note.reason)])
            try execute(
                """
                update \(sql.jobs) set reason = 'stopped', message = $3,
                    finished_at = case when state = 'queued' then \(sql.clock) end,
                    state = case when state = 'queued' then 'cancelled' else state end
                where run_id = $1 and tenant in \(names) and state in ('queued', 'running')
                """, [.text(run), list, .text(note.sentence)])
            if try !hasOpenJobs(run) { try complete(run, try jobTally(run).outcome) }
            try Failpoint.reach(.cancelTenants, .before)
            return cancelling
        }
        try Failpoint.reach(.cancelTenants, .after)
        return cancelling
    }

    /// Tenants that this runner has, and that somebody has cancelled: by whom and why.
    package func cancelledTenants(of run: String, runner: String) throws(DatabaseError) -> [String: String] {
        let rows = try rows(
            """
            select tenant, message from \(sql.jobs)
            where run_id = $1 and runner = $2 and state = 'running' and reason = 'stopped'
            """, [.text(run), .text(runner)])
        return Dictionary(rows.map { ($0[0].text ?? "", $0[1].text ?? "") }, uniquingKeysWith: { $1 })
    }

    /// By whom and why tenants of a run were cancelled, and how many.
    package func cancelNotes(ofRun run: String) -> LedgerQuestion<[(note: String, tenants: Int)]> {
        LedgerQuestion(
            """
            select message, count(*) from \(sql.jobs)
            where run_id = $1 and state = 'cancelled' and message is not null group by message order by message
            """, [.text(run)]
        ) { $0.map { ($0[0].text ?? "", $0[1].integer ?? 0) } }
    }

    /// What a job becomes that its runner has not ended: cancelled if somebody has asked for that, else queued.
    var givenBack: String {
        """
        runner = null, state = case when reason = 'stopped' then 'cancelled' else 'queued' end,
        finished_at = case when reason = 'stopped' then \(sql.clock) end
        """
    }
}
