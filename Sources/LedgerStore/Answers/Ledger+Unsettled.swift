package import DatabaseAccess
package import RunbookModel

extension Ledger {
    /// Common table expressions over a scope: after them `u(id, ord, …)` holds the tenants of the scope in which at
    /// least one member identity is not done under its checksum.
    func unsettled(_ scope: LedgerScope, first: Int) -> (sql: String, parameters: [DatabaseValue]) {
        let relations = scope.relations(dialect, first: first)
        let text = """
            with \(relations.sql),
            d as (
                select t.id, count(*) as n
                from t \(sql.ordered) m on m.cohort = t.cohort
                \(sql.ordered) \(sql.executions) e on e.workspace = $1 and e.tenant = t.id and e.runbook = m.runbook
                    and e.key = m.key
                where e.state in \(LedgerSQL.done) and (e.checksum = m.checksum or m.accepts)
                group by t.id),
            c as (select cohort, count(*) as n from m group by cohort),
            u as (
                select t.* from t join c on c.cohort = t.cohort left join d on d.id = t.id
                where coalesce(d.n, 0) < c.n)
            """
        return (text, relations.parameters)
    }

    /// Which tenants of the scope have something that is not done, and what is on record for each of them.
    ///
    /// - Parameter each: index into the scope's tenants, and what is recorded by index into its identities; called in
    ///   the order of the scope.
    package func forEachUnsettled(
        in scope: LedgerScope, _ each: (Int, [Int: RecordedExecution]) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        guard !scope.tenants.isEmpty, !scope.members.isEmpty else { return }
        let pending = unsettled(scope, first: 2)
        let fields = "i.ord || ' ' || e.state || ' ' || \(Self.cleanText) || ' ' || e.attempt || ' ' || e.checksum"
        let statement = """
            \(pending.sql)
            select u.ord, (
                select \(sql.joined(fields)) from \(sql.executions) e
                \(sql.ordered) i on i.runbook = e.runbook and i.key = e.key
                where e.workspace = $1 and e.tenant = u.id)
            from u order by u.ord
            """
        try query(statement, [.text(workspace)] + pending.parameters) {
            row throws(DatabaseError) in
            guard let ordinal = row[0].integer else { return }
            try each(ordinal - 1, Self.recorded(row[1].text))
        }
    }

    /// How many tenants of the scope have something that is not done: guarantee 6 asks this before exit 0.
    package func countUnsettled(in scope: LedgerScope) throws(DatabaseError) -> Int {
        guard !scope.tenants.isEmpty, !scope.members.isEmpty else { return 0 }
        let pending = unsettled(scope, first: 2)
        return try row("\(pending.sql) select count(*) from u", [.text(workspace)] + pending.parameters)?[0].integer
            ?? 0
    }

    /// What is on record of one tenant (or, with an empty name, of the workspace).
    package func recorded(
        tenant: String, identities: [Identity]
    ) throws(DatabaseError) -> [Identity: RecordedExecution] {
        var recorded: [Identity: RecordedExecution] = [:]
        let wanted = Set(identities)
        try query(
            """
            select runbook, key, state, clean, checksum, attempt from \(sql.executions)
            where workspace = $1 and tenant = $2
            """, [.text(workspace), .text(tenant)]
        ) { row throws(DatabaseError) in
            let identity = Identity(runbook: row[0].text ?? "", key: row[1].text ?? "")
            guard wanted.contains(identity), let state = row[2].text.flatMap(ExecutionState.init) else { return }
            recorded[identity] = RecordedExecution(
                state: state, clean: row[3].boolean, checksum: row[4].text ?? "", attempt: row[5].integer ?? 0)
        }
        return recorded
    }

    /// A truth value as `1`, `0` or `-`, alike in both engines.
    private static let cleanText = "case when e.clean is null then '-' when e.clean then '1' else '0' end"

    private static func recorded(_ lines: String?) -> [Int: RecordedExecution] {
        var recorded: [Int: RecordedExecution] = [:]
        for line in lines?.split(separator: "\n") ?? [] {
            let fields = line.split(separator: " ", maxSplits: 4)
            guard fields.count == 5, let ordinal = Int(fields[0]),
                let state = ExecutionState(rawValue: String(fields[1]))
            else { continue }
            recorded[ordinal - 1] = RecordedExecution(
                state: state, clean: fields[2] == "-" ? nil : fields[2] == "1", checksum: String(fields[4]),
                attempt: Int(fields[3]) ?? 0)
        }
        return recorded
    }
}
