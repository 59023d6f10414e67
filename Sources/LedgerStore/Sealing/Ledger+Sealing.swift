package import DatabaseAccess
import FoundationEssentials
import RunbookModel

extension Ledger {
    /// Moves what is finished in the next tenants out of `executions` and into the set that they share with others, in one
    /// transaction. Nothing that is asked is answered otherwise afterwards.
    ///
    /// It is done only while no run of the workspace is open, and none can begin meanwhile: nobody writes the records
    /// that are moved but who holds a tenant's lock, and such a tenant is left for the next time.
    /// - Parameters:
    ///   - tenant: the last one of the call before; nil at the beginning.
    ///   - run: a run that is complete. Unless jobs of it were cancelled, all its work is in the history.
    ///   - limit: how many tenants at once.
    /// - Returns: the last tenant that was looked at; nil when there are no more, or a run is open.
    package func seal(
        after tenant: String? = nil, behind run: String? = nil, limit: Int = 500
    ) throws(DatabaseError) -> String? {
        let last = try writing(isUnhurried: true) { () throws(DatabaseError) -> String? in
            try execute(
                "select 1 from \(sql.workspaces) where workspace = $1 \(sql.forUpdate)", [.text(workspace)])
            // One more tells whether there are more.
            let (isIdle, found) = try answers(to: isIdle, tenantsToSeal(after: tenant, limit + 1))
            guard isIdle else { return nil }
            let tenants = Array(found.prefix(limit))
            for group in try groups(of: tenants) { try seal(group, behind: run) }
            if found.count <= limit { try dropUnusedSets() }
            try Failpoint.reach(.seal, .before)
            return found.count <= limit ? nil : tenants.last
        }
        try Failpoint.reach(.seal, .after)
        return last
    }

    /// Makes a run that begins wait until a chunk is sealed, and sealing see it. SQLite has one writer anyway.
    ///
    /// - Parameter alone: whether no other run may begin meanwhile either.
    func keepFromSealing(alone: Bool = false) throws(DatabaseError) {
        guard dialect == .postgresql else { return }
        try execute(
            "select 1 from \(sql.workspaces) where workspace = $1 for \(alone ? "update" : "share")", [.text(workspace)]
        )
    }

    /// Whether no run is open, nor will be before this transaction ends: the workspace's row is locked by a statement
    /// before, so that this one sees what was committed while it was waited for. A workspace that was never seen had no
    /// run.
    private var isIdle: LedgerQuestion<Bool> {
        LedgerQuestion(
            """
            select 1 from \(sql.workspaces) where workspace = $1 and not exists (
                select 1 from \(sql.runs) where workspace = $1 and status <> 'completed')
            """, [.text(workspace)]
        ) { !$0.isEmpty }
    }

    private func tenantsToSeal(after tenant: String?, _ limit: Int) -> LedgerQuestion<[String]> {
        LedgerQuestion(
            """
            select distinct tenant from \(sql.executions)
            where workspace = $1 and tenant \(tenant == nil ? ">=" : ">") $2 and state in \(LedgerSQL.done)
            order by tenant limit $3
            """, [.text(workspace), .text(tenant ?? ""), DatabaseValue(limit)]
        ) { $0.compactMap { $0[0].text } }
    }

    /// Takes the locks of tenants, until this transaction ends: those whose were free. SQLite has one writer, which this is.
    private func free(_ tenants: [String]) -> LedgerQuestion<Set<String>> {
        guard dialect == .postgresql else { return LedgerQuestion("select 1", []) { _ in Set(tenants) } }
        let keys = tenants.map { Int(LockKey.tenant($0, workspace: workspace)) }
        return LedgerQuestion(
            """
            select x.tenant
            from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::bigint[])) as x(tenant, key)
            where pg_catalog.pg_try_advisory_xact_lock(x.key)
            """, [LedgerList.texts(tenants, dialect), LedgerList.integers(keys, dialect)]
        ) { Set($0.compactMap { $0[0].text }) }
    }

    /// Tenants that have the same set and have finished the same since.
    private struct Group {
        var set: Int?
        var delta: [SealedSet.Member]
        var tenants: [String]
        /// What their set holds already.
        var known: [SealedSet.Member] = []
    }

    /// Of those tenants whose locks are free: they are read by a statement that begins when the locks are held.
    private func groups(of tenants: [String]) throws(DatabaseError) -> [Group] {
        guard !tenants.isEmpty else { return [] }
        let (free, groups, sets) = try answers(to: free(tenants), finished(by: tenants), sets(of: tenants))
        return groups.compactMap { group in
            var group = group
            group.tenants.removeAll { !free.contains($0) }
            if let set = group.set { group.known = sets[set] ?? [] }
            return group.tenants.isEmpty ? nil : group
        }
    }

    /// - Parameter tenants: in the ledger's order.
    private func finished(by tenants: [String]) -> LedgerQuestion<[Group]> {
        let fields = "runbook, key, state, checksum"
        // The members of each tenant as an array of arrays, which both compare quickly.
        let (list, member, delta, text) =
            switch dialect {
            case .postgresql:
                (
                    "pg_catalog.json_agg", "pg_catalog.array_agg(array[\(fields)]", "pg_catalog.to_json(g.delta)",
                    "::text"
                )
            case .sqlite: ("json_group_array", "json_group_array(json_array(\(fields))", "g.delta", "")
            }
        // They are next to each other in the primary key: between the first and the last of them one scan finds them in order.
        return LedgerQuestion(
            """
            select g.set_id, \(delta)\(text), \(list)(g.tenant)\(text) from (
                select e.tenant, s.set_id, e.delta
                from (
                    select tenant, \(member)) as delta
                    from (
                        select tenant, runbook, key, state, checksum from \(sql.executions)
                        where workspace = $1 and tenant >= $3 and tenant <= $4 and \(sql.isAmong("tenant", "$2"))
                            and state in \(LedgerSQL.done)
                        order by tenant, runbook, key) d
                    group by tenant) e
                left join \(sql.sealed) s on s.workspace = $1 and s.tenant = e.tenant) g
            group by g.set_id, g.delta
            """,
            [
                .text(workspace), LedgerList.texts(tenants, dialect), .text(tenants.first ?? ""),
                .text(tenants.last ?? ""),
            ]
        ) { rows throws(DatabaseError) in
            try rows.map { row throws(DatabaseError) in
                let delta: [[String]] = try Self.decoded(row[1].text ?? "[]")
                return Group(
                    set: row[0].integer, delta: delta.map(SealedSet.Member.init),
                    tenants: try Self.decoded(row[2].text ?? "[]"))
            }
        }
    }

    /// The members of the sets that these tenants have.
    private func sets(of tenants: [String]) -> LedgerQuestion<[Int: [SealedSet.Member]]> {
        LedgerQuestion(
            """
            select set_id, runbook, key, state, checksum from \(sql.setMembers) where set_id in (
                select set_id from \(sql.sealed) where workspace = $1 and \(sql.isAmong("tenant", "$2")))
            """, [.text(workspace), LedgerList.texts(tenants, dialect)]
        ) { rows in
            var sets: [Int: [SealedSet.Member]] = [:]
            for row in rows {
                sets[row[0].integer ?? 0, default: []].append(
                    SealedSet.Member(
                        runbook: row[1].text ?? "", key: row[2].text ?? "", state: row[3].text ?? "",
                        checksum: row[4].text ?? ""))
            }
            return sets
        }
    }

    private func seal(_ group: Group, behind run: String?) throws(DatabaseError) {
        let set = SealedSet(group.known).adding(group.delta)
        try ensure(set)
        let tenants = LedgerList.texts(group.tenants, dialect)
        let list = dialect == .postgresql ? "pg_catalog.unnest($3::text[])" : "(select value from json_each($3))"
        try execute(
            """
            insert into \(sql.sealed) (workspace, tenant, set_id)
            select $1, x.value, s.id from \(sql.sets) s
            \(sql.ordered) \(list) as x\(dialect == .postgresql ? "(value) on true" : "")
            where s.workspace = $1 and s.digest = $2
            on conflict (workspace, tenant) do update set set_id = excluded.set_id
            """, [.text(workspace), .text(set.digest), tenants])
        // Exactly what went into the set: a row that was changed meanwhile stays, and stands before its member.
        let moved = """
            e.workspace = $1 and \(sql.isAmong("e.tenant", "$2")) and exists (
                select 1 from \(sql.records(SealedSet.Member.columns, "$3")) d where d.runbook = e.runbook and d.key = e.key
                    and d.state = e.state and d.checksum = e.checksum)
            """
        let parameters: [DatabaseValue] = [.text(workspace), tenants, .text(LedgerList.json(group.delta))]
        try keepHistory(ofRows: moved, parameters, behind: run)
        try execute("delete from \(sql.executions) as e where \(moved)", parameters)
    }

    /// The history of work whose runner died between its record and its history, before the record goes.
    private func keepHistory(
        ofRows condition: String, _ parameters: [DatabaseValue], behind run: String?
    ) throws(DatabaseError) {
        let isTold =
            "e.run_id = (select id from \(sql.runs) where id = $4 and status = 'completed' and cancelled = 0)"
        try execute(
            """
            insert into \(sql.attempts) (workspace, tenant, runbook, key, attempt, run_id, runner, state, checksum,
                started_at, finished_at, duration_ms, rows_affected)
            select workspace, tenant, runbook, key, attempt, run_id, runner, state, checksum, started_at, finished_at,
                \(sql.milliseconds("finished_at")) - \(sql.milliseconds("started_at")), rows_affected
            from \(sql.executions) e where \(condition) and (\(isTold)) is not true and not exists (
                select 1 from \(sql.attempts) a where a.workspace = e.workspace and a.tenant = e.tenant
                    and a.runbook = e.runbook and a.key = e.key and a.attempt = e.attempt and a.state = e.state)
            order by tenant, runbook, key
            """, parameters + [DatabaseValue(run)])
    }

    /// Makes the set with these members where it is missing. Nobody else makes any meanwhile: who does holds the
    /// workspace's row.
    private func ensure(_ set: SealedSet) throws(DatabaseError) {
        try execute(
            "insert into \(sql.sets) (workspace, digest) values ($1, $2) on conflict do nothing",
            [.text(workspace), .text(set.digest)])
        try execute(
            """
            insert into \(sql.setMembers) (set_id, runbook, key, state, checksum)
            select s.id, d.runbook, d.key, d.state, d.checksum from \(sql.sets) s
            \(sql.ordered) \(sql.records(SealedSet.Member.columns, "$3")) d \(dialect == .postgresql ? "on true" : "")
            where s.workspace = $1 and s.digest = $2
            on conflict do nothing
            """, [.text(workspace), .text(set.digest), .text(LedgerList.json(set.members))])
    }

    /// Sets that no tenant has any more: each deploy makes a new one.
    private func dropUnusedSets() throws(DatabaseError) {
        let isUnused = "id not in (select set_id from \(sql.sealed) where workspace = $1)"
        try execute(
            """
            delete from \(sql.setMembers)
            where set_id in (select id from \(sql.sets) where workspace = $1 and \(isUnused))
            """, [.text(workspace)])
        try execute("delete from \(sql.sets) where workspace = $1 and \(isUnused)", [.text(workspace)])
    }

    private static func decoded<Value: Decodable>(_ text: String) throws(DatabaseError) -> Value {
        do { return try JSONDecoder().decode(Value.self, from: Data(text.utf8)) } catch {
            throw DatabaseError(.misuse, "records to be sealed could not be read: \(error)")
        }
    }
}
