import DatabaseAccess
import FoundationEssentials
package import RunbookModel

extension RunbookService {
    /// Who holds this workspace's locks in PostgreSQL: in the ledger's database and in every target database.
    ///
    /// Tenants in SQLite files are locked in the ledger's place; the lock file's holders have no names there.
    package func locks(_ manifest: Manifest) async throws(ServiceError) -> LockList {
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        let set = try await desk.asks(TenantDirectory(manifest: manifest, opener: opener))
        return LockList(locks: try await desk.holders(of: set, manifest))
    }

    /// The keys that an application takes to stand aside from a tenant's runbooks, and where.
    package func lockKey(_ manifest: Manifest, tenant: String) async throws(ServiceError) -> LockKeyReport {
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        let set = try await desk.asks(TenantDirectory(manifest: manifest, opener: opener))
        guard let position = set.position(of: tenant) else {
            throw ServiceError(
                .unknownName, "There is no tenant \"\(tenant)\"\(nearest(tenant, set.tenants.map { $0.id })).")
        }
        let member = set.member(at: position)
        let isFile = member.target.url.revealed.hasPrefix("sqlite:")
        return LockKeyReport(
            tenant: tenant, key: LockKey.tenant(tenant, workspace: manifest.workspace),
            workspaceKey: LockKey.workspace(manifest.workspace),
            database: Self.masked(isFile ? manifest.ledger.url : member.target.url))
    }
}

extension LedgerDesk {
    /// Asks each database once; keys are found by their numbers, so only tenants that are known have a name.
    func holders(of set: TenantSet, _ manifest: Manifest) throws(ServiceError) -> [LockList.Holder] {
        let workspace = manifest.workspace
        var levels: [Int64: (level: String, tenant: String?)] = [
            LockKey.workspace(workspace): ("workspace", nil), LockKey.gate(workspace): ("gate", nil),
            LockKey.tenant("", workspace: workspace): ("workspace runbook", nil),
        ]
        var addresses: [String] = [manifest.ledger.url.revealed]
        for member in set.members {
            levels[LockKey.tenant(member.tenant.id, workspace: workspace)] = ("tenant", member.tenant.id)
            addresses.append(member.target.url.revealed)
        }
        var holders: [LockList.Holder] = []
        var asked: Set<String> = []
        for address in addresses where !address.hasPrefix("sqlite:") && asked.insert(address).inserted {
            let rows: [DatabaseRow]
            do throws(DatabaseError) { rows = try lockRows(in: address) } catch {
                throw ServiceError(
                    error.code == .unreachable ? .unreachable : .ledger, "The locks cannot be listed: \(error)")
            }
            for row in rows {
                guard let key = row[0].integer, let known = levels[Int64(key)] else { continue }
                holders.append(
                    LockList.Holder(
                        tenant: known.tenant, level: known.level, mode: row[1].text ?? "", database: row[2].text ?? "",
                        pid: row[3].integer, application: row[4].text, client: row[5].text,
                        since: row[6].integer.map { Date(timeIntervalSince1970: Double($0) / 1000) }))
            }
        }
        return holders
    }

    private func lockRows(in address: String) throws(DatabaseError) -> [DatabaseRow] {
        let session = try opener.open(
            try ConnectionURL(parsing: address), SessionOptions(applicationName: "muster/locks", isReadOnly: true))
        defer { session.close() }
        try session.run("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp")
        // A 64-bit key stands in two halves, with objsubid 1 (PostgreSQL manual, 54.12).
        let rows = try session.rows(
            """
            select (l.classid::bigint << 32) | l.objid::bigint, lower(replace(l.mode, 'Lock', '')),
                current_database()::text, l.pid, a.application_name, coalesce(host(a.client_addr), 'local'),
                (extract(epoch from coalesce(a.xact_start, a.backend_start)) * 1000)::bigint
            from pg_locks l left join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1
              and l.database = (select oid from pg_database where datname = current_database())
            order by 1, 4
            """)
        try session.run("ROLLBACK")
        return rows
    }
}
