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
    /// That is the state after every complete run, and so of nearly every deploy. What is asked is plain, and compared
    /// here: what a session plans for the first time costs the server more than what it then reads.
    ///
    /// - Parameters:
    ///   - identity: of a run which must not be open.
    ///   - orDueHooks: whether a complete run counts as open while its last hooks are to be started.
    ///   - mostMembers: where sets have as many members or more, a glance is no longer short, and proves nothing.
    package func glance(
        _ scope: LedgerScope, unlessOpen identity: String?, orDueHooks: Bool = false, mostMembers: Int = 20_000
    ) throws(DatabaseError) -> LedgerGlance {
        guard !scope.tenants.isEmpty, !scope.members.isEmpty else { return LedgerGlance() }
        let tenants = scope.tenantRelation(dialect, first: 2)
        let isDue = orDueHooks ? " or hooks_due" : ""
        let answers = try asked(
            [
                DatabaseQuestion(
                    """
                    select not exists (select 1 from \(sql.executions) where workspace = $1) and not exists (
                        select 1 from \(sql.runs)
                        where workspace = $1 and identity = $2 and (status <> 'completed'\(isDue)))
                    """, [.text(workspace), .text(identity ?? "")]),
                DatabaseQuestion(
                    """
                    with \(tenants.sql)
                    select t.cohort, s.set_id, count(*)
                    from t \(sql.ordered) \(sql.sealed) s on s.workspace = $1 and s.tenant = t.id
                    group by t.cohort, s.set_id
                    """, [.text(workspace)] + tenants.parameters),
                DatabaseQuestion(
                    """
                    select s.id, x.runbook, x.key, x.checksum
                    from \(sql.sets) s \(sql.ordered) \(sql.setMembers) x on x.set_id = s.id
                    where s.workspace = $1 limit \(mostMembers)
                    """, [.text(workspace)]),
                DatabaseQuestion(
                    """
                    select runbook, key from \(sql.identities) where workspace = $1 and gone_at is null
                    order by position
                    """, [.text(workspace)]),
            ], in: sql.beginSnapshot)
        let listed = Set(scope.identities.map(\.identity))
        return LedgerGlance(
            isSettled: answers[0].first?[0].boolean == true && answers[2].count < mostMembers
                && count(answers[1], whoseSetFits: scope, answers[2]) == scope.tenants.count,
            unlisted: answers[3].map { Identity(runbook: $0[0].text ?? "", key: $0[1].text ?? "") }
                .filter { !listed.contains($0) }.map(\.description))
    }

    /// - Parameters:
    ///   - groups: cohort, set, and how many tenants.
    ///   - members: set, runbook, key, checksum.
    private func count(_ groups: [DatabaseRow], whoseSetFits scope: LedgerScope, _ members: [DatabaseRow]) -> Int {
        var sets: [Int: [Identity: String]] = [:]
        for row in members {
            let identity = Identity(runbook: row[1].text ?? "", key: row[2].text ?? "")
            sets[row[0].integer ?? 0, default: [:]][identity] = row[3].text
        }
        let needs = Dictionary(grouping: scope.members, by: \.cohort)
        return groups.reduce(0) { sum, group in
            guard let cohort = group[0].integer, let set = sets[group[1].integer ?? 0] else { return sum }
            let fits = (needs[cohort] ?? []).allSatisfy { member in
                let wanted = scope.identities[member.identity]
                guard let checksum = set[wanted.identity] else { return false }
                return checksum == wanted.checksum || wanted.acceptsChange
            }
            return fits ? sum + (group[2].integer ?? 0) : sum
        }
    }
}
