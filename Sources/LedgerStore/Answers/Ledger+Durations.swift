package import DatabaseAccess
package import RunbookModel

/// How long things took before. Each question has a cost that does not grow with the fleet or its history: a plan of
/// 100,000 tenants asks the first, every apply with more tenants than workers the second.
extension Ledger {
    /// Executions of one runbook that are looked at in a tenant, and in a run.
    private static let perTenant = 10
    private static let perRun = 200
    /// Fewer samples than this are eked out with recent runs.
    private static let few = 20

    /// How long runbooks took where they succeeded: under their own key, else under any other.
    ///
    /// - Parameter tenants: those whose history is read, an even selection; where a runbook has hardly run in them, the
    ///   latest runs say more.
    package func durations(
        of runbooks: [Identity], in tenants: [String]
    ) throws(DatabaseError) -> [Identity: SeenDuration] {
        guard !runbooks.isEmpty else { return [:] }
        // The planner, which does not know what is asked, would read all attempts for a runbook that has none. It is for
        // this transaction, which asks nothing else.
        if dialect == .postgresql { try session.run("SET LOCAL enable_seqscan = off") }
        let figures = try durations(
            of: runbooks, "s(tenant) as (\(list("$4")))", [LedgerList.texts(tenants, dialect)],
            "a.workspace = $1 and a.tenant = s.tenant", limit: Self.perTenant)
        let rare = runbooks.filter { (figures[$0]?.samples ?? 0) < Self.few }
        guard !rare.isEmpty else { return figures }
        let recent = try durations(
            of: rare,
            """
            s(run) as materialized (
                select id from \(sql.runs) where workspace = $1 order by started_at desc limit 20)
            """, [], "a.run_id = s.run", limit: Self.perRun)
        return figures.merging(recent) { $0.samples >= $1.samples ? $0 : $1 }
    }

    /// - Parameters:
    ///   - sources: a relation `s`, whose rows say where to look.
    ///   - place: which attempts are in a row of it.
    private func durations(
        of runbooks: [Identity], _ sources: String, _ parameters: [DatabaseValue], _ place: String, limit: Int
    ) throws(DatabaseError) -> [Identity: SeenDuration] {
        let attempts = """
            select a.key, a.duration_ms from \(sql.attempts) a
            where \(place) and a.runbook = i.runbook and a.state = 'succeeded' and a.duration_ms is not null
            """
        // The limit keeps PostgreSQL's planner from reading the whole history once, and finding what is asked there.
        let source =
            switch dialect {
            case .postgresql: "i cross join s cross join lateral (\(attempts) limit \(limit)) a"
            case .sqlite:
                """
                i cross join s cross join muster_attempts a on \(place) and a.runbook = i.runbook
                and a.state = 'succeeded' and a.duration_ms is not null
                """
            }
        var own: [Identity: SeenDuration] = [:]
        var other: [Identity: SeenDuration] = [:]
        try query(
            """
            with i(ord, runbook, key) as (\(pairs)), \(sources)
            select i.ord, a.key = i.key, count(*), avg(a.duration_ms), max(a.duration_ms) from \(source)
            group by i.ord, a.key = i.key
            """,
            [
                .text(workspace), LedgerList.texts(runbooks.map(\.runbook), dialect),
                LedgerList.texts(runbooks.map(\.key), dialect),
            ] + parameters
        ) { row throws(DatabaseError) in
            guard let index = row[0].integer, let mean = row[3].text.flatMap(Double.init) else { return }
            let seen = SeenDuration(
                samples: row[2].integer ?? 0, meanMS: Int(mean.rounded()), longestMS: row[4].integer ?? 0)
            if row[1].boolean == true { own[runbooks[index - 1]] = seen } else { other[runbooks[index - 1]] = seen }
        }
        return own.merging(other) { own, _ in own }
    }

    /// Tenants in which one of the last runs took at least so long, all its work there together, and how long.
    ///
    /// - Parameter tenants: whom it is asked about; nil for all.
    package func longTenants(
        among tenants: [String]?, atLeast milliseconds: Int
    ) -> LedgerQuestion<[String: Int]> {
        var parameters: [DatabaseValue] = [.text(workspace), DatabaseValue(milliseconds)]
        var condition = ""
        if let tenants {
            parameters.append(LedgerList.texts(tenants, dialect))
            condition = "and \(sql.isAmong("a.tenant", "$3"))"
        }
        return LedgerQuestion(
            """
            select q.tenant, max(q.total) from (
                select a.tenant, a.run_id, sum(a.duration_ms) as total
                from (select id from \(sql.runs) where workspace = $1 order by started_at desc limit 5) r
                \(sql.ordered) \(sql.attempts) a on a.run_id = r.id
                where a.tenant <> '' \(condition)
                group by a.tenant, a.run_id) q
            group by q.tenant having max(q.total) >= $2
            """, parameters
        ) { rows in
            var known: [String: Int] = [:]
            for row in rows {
                // PostgreSQL's sum of bigint is numeric.
                if let tenant = row[0].text, let longest = row[1].text.flatMap(Int.init) { known[tenant] = longest }
            }
            return known
        }
    }

    private var pairs: String {
        switch dialect {
        case .postgresql:
            """
            select x.ord, x.runbook, x.key from rows from (
                pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) with ordinality as x(runbook, key, ord)
            """
        case .sqlite:
            "select k.key + 1, k.value, v.value from json_each($2) k join json_each($3) v on v.key = k.key"
        }
    }

    private func list(_ parameter: String) -> String {
        switch dialect {
        case .postgresql: "select pg_catalog.unnest(\(parameter)::text[])"
        case .sqlite: "select value from json_each(\(parameter))"
        }
    }
}
