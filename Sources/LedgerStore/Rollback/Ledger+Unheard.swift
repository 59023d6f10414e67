package import DatabaseAccess
package import RunbookModel

extension Ledger {
    /// Tenants in which an apply was under way when it was cancelled, by name: what a runner did there last it may have
    /// told nobody. Where the ledger's rows are the receipts there is nothing to hear.
    package func unheardTenants() throws(DatabaseError) -> [String] {
        try rows(
            """
            select distinct j.tenant from \(sql.runs) r join \(sql.jobs) j on j.run_id = r.id
            where r.workspace = $1 and r.kind = 'apply' and r.status = 'completed'
                and j.state = 'cancelled' and j.attempt > 0 and j.tenant <> ''
            order by j.tenant
            """, [.text(workspace)]
        ).compactMap { $0[0].text }
    }

    /// Marks the record of a backfill as one, which goes on or is undone whatever it has done so far.
    package func noteBackfill(_ identity: Identity, tenant: String) throws(DatabaseError) {
        try execute(
            """
            update \(sql.executions) set batches = coalesce(batches, 0)
            where workspace = $1 and tenant = $2 and runbook = $3 and key = $4
            """, [.text(workspace), .text(tenant), .text(identity.runbook), .text(identity.key)])
    }
}
