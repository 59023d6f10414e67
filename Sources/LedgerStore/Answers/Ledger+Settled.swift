package import DatabaseAccess
import RunbookModel

/// What one short question tells of a scope.
package struct LedgerGlance: Sendable, Hashable {
    /// Everything is done: true is proof, false is none.
    package var isSettled = false
    /// Identities that the last manifest with work to do has listed, and the scope does not: it is of an older one, or some
    /// were taken out since. In the order in which they were listed.
    package var unlisted: [String] = []
}

extension Ledger {
    /// Whether everything in the scope is done, asked in the cheapest way there is: true is proof, false is none.
    ///
    /// A tenant counts when its set holds all that its cohort needs; any row that is not in a set makes the answer false.
    /// That is the state after every complete run, and so of nearly every deploy.
    ///
    /// - Parameters:
    ///   - identity: of a run which must not be open.
    ///   - orDueHooks: whether a complete run counts as open while its last hooks are to be started.
    package func glance(
        _ scope: LedgerScope, unlessOpen identity: String?, orDueHooks: Bool = false
    ) throws(DatabaseError) -> LedgerGlance {
        guard !scope.tenants.isEmpty, !scope.members.isEmpty else { return LedgerGlance() }
        let relations = scope.relations(dialect, first: 3)
        let isDue = orDueHooks ? " or hooks_due" : ""
        let answer = try answer(
            """
            with \(relations.sql),
            fit(cohort, set_id) as materialized (
                select m.cohort, x.set_id from \(sql.sets) s \(sql.ordered) \(sql.setMembers) x on x.set_id = s.id
                \(sql.ordered) m on m.runbook = x.runbook and m.key = x.key
                where s.workspace = $1 and (x.checksum = m.checksum or m.accepts)
                group by m.cohort, x.set_id
                having count(*) = (select count(*) from p where p.cohort = m.cohort)),
            -- Apart from the rest: the planner would think that few tenants fit, and look each up by itself.
            w(cohort, set_id, n) as materialized (
                select t.cohort, s.set_id, count(*)
                from t \(sql.ordered) \(sql.sealed) s on s.workspace = $1 and s.tenant = t.id
                group by t.cohort, s.set_id)
            select not exists (select 1 from \(sql.executions) where workspace = $1)
                and not exists (
                    select 1 from \(sql.runs) where workspace = $1 and identity = $2 and (status <> 'completed'\(isDue)))
                and (select sum(w.n) from w \(sql.ordered) fit on fit.cohort = w.cohort and fit.set_id = w.set_id)
                    = \(scope.tenants.count),
                (select \(sql.joined("o.name")) from (
                    select x.runbook || '@' || x.key as name from \(sql.identities) x
                    where x.workspace = $1 and x.gone_at is null and not exists (
                        select 1 from i where i.runbook = x.runbook and i.key = x.key)
                    order by x.position) o)
            """, [.text(workspace), .text(identity ?? "")] + relations.parameters)
        return LedgerGlance(
            isSettled: answer?[0].boolean == true,
            unlisted: (answer?[1].text ?? "").split(separator: "\n").map(String.init))
    }
}
