import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// A PostgreSQL server with tenants on it, asked once who holds their locks: `pg_locks` shows those of all its databases.
struct LockedServer {
    /// Of the first of them: one of its databases is as good as any other.
    let url: ConnectionURL
    var places: [Int] = []

    func holders(on session: any DatabaseSession, _ plan: FleetPlan) throws(DatabaseError) -> [LockList.Holder] {
        try session.run("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp")
        // A 64-bit key stands in two halves, with objsubid 1 (PostgreSQL manual, 54.12).
        let rows = try session.rows(
            """
            select (l.classid::bigint << 32) | l.objid::bigint, lower(replace(l.mode, 'Lock', '')), d.datname::text,
                l.pid, a.application_name, coalesce(host(a.client_addr), 'local'),
                (extract(epoch from coalesce(a.xact_start, a.backend_start)) * 1000)::bigint, current_database()::text
            from pg_locks l join pg_database d on d.oid = l.database left join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1
            order by 3, 1, 4 limit 10000
            """)
        try session.run("ROLLBACK")
        // Usually nobody holds anything, and no key has to be computed.
        guard !rows.isEmpty else { return [] }
        let keys = self.keys(plan, here: rows[0][7].text ?? "")
        return rows.compactMap { row in
            guard let key = row[0].integer, let known = keys[Key(number: Int64(key), database: row[2].text ?? "")]
            else { return nil }
            return LockList.Holder(
                tenant: known.tenant, level: known.level, mode: row[1].text ?? "", database: row[2].text ?? "",
                pid: row[3].integer, application: row[4].text, client: row[5].text,
                since: row[6].integer.map { Date(timeIntervalSince1970: Double($0) / 1000) })
        }
    }

    private struct Key: Hashable {
        var number: Int64
        var database: String
    }

    /// - Parameter here: the database that answers where an address names none.
    private func keys(_ plan: FleetPlan, here: String) -> [Key: (level: String, tenant: String?)] {
        let workspace = plan.manifest.workspace
        var keys: [Key: (level: String, tenant: String?)] = [:]
        var databases: [String: String] = [:]
        for place in places {
            let address = plan.member(at: place).target.url.revealed
            let database = databases[address] ?? (try? ConnectionURL(parsing: address))?.database ?? here
            if databases[address] == nil {
                databases[address] = database
                keys[Key(number: LockKey.workspace(workspace), database: database)] = ("workspace", nil)
                keys[Key(number: LockKey.gate(workspace), database: database)] = ("gate", nil)
            }
            let tenant = plan.tenantID(at: place)
            keys[Key(number: LockKey.tenant(tenant, workspace: workspace), database: database)] =
                tenant.isEmpty ? ("workspace runbook", nil) : ("tenant", tenant)
        }
        return keys
    }
}
