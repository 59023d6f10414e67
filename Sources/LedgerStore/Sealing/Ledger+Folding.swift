package import DatabaseAccess

extension Ledger {
    /// Deletes a bounded part of what is older than the retention, in one transaction: the attempts, jobs, hooks and runners of
    /// one finished run, whose row keeps its counts; then attempts that no run made.
    ///
    /// - Parameter retention: in seconds.
    /// - Returns: whether there may be more.
    package func fold(olderThan retention: Int, limit: Int = 5000) throws(DatabaseError) -> Bool {
        guard let (run, hasStray) = try answer(to: foldable(olderThan: retention)), run != nil || hasStray else {
            return false
        }
        try writing(isUnhurried: true) { () throws(DatabaseError) in
            if let run {
                try fold(run, limit)
            } else {
                try execute(
                    """
                    delete from \(sql.attempts)
                    where id in (select id from \(sql.attempts) where \(stray(olderThan: retention)) order by id limit $2)
                    """, [.text(workspace), DatabaseValue(limit)])
            }
        }
        return true
    }

    /// Whether anything is older than the retention.
    package func isAnythingOld(_ retention: Int) -> LedgerQuestion<Bool> {
        let question = foldable(olderThan: retention)
        return LedgerQuestion(question.question.sql, question.question.parameters) { rows throws(DatabaseError) in
            let found = try question.read(rows)
            return found?.run != nil || found?.hasStray == true
        }
    }

    /// The oldest run that is to be folded, and whether attempts are that no run made.
    private func foldable(olderThan retention: Int) -> LedgerQuestion<(run: String?, hasStray: Bool)?> {
        LedgerQuestion(
            """
            select (
                select id from \(sql.runs)
                where workspace = $1 and status = 'completed' and folded_at is null and \(isOld(retention))
                order by finished_at, id limit 1),
                exists (select 1 from \(sql.attempts) where \(stray(olderThan: retention)))
            """, [.text(workspace)]
        ) { $0.first.map { ($0[0].text, $0[1].boolean == true) } }
    }

    private func isOld(_ retention: Int) -> String { "finished_at < \(sql.ago(seconds: retention))" }

    private func stray(olderThan retention: Int) -> String {
        "run_id is null and workspace = $1 and \(isOld(retention))"
    }

    private func fold(_ run: String, _ limit: Int) throws(DatabaseError) {
        let parameters: [DatabaseValue] = [.text(run), DatabaseValue(limit)]
        let attempts = try result(
            of: """
                delete from \(sql.attempts) where id in (select id from \(sql.attempts) where run_id = $1 limit $2)
                """, parameters
        ).rowsAffected
        guard attempts < limit else { return }
        let jobs = try result(
            of: """
                delete from \(sql.jobs)
                where run_id = $1 and tenant in (select tenant from \(sql.jobs) where run_id = $1 limit $2)
                """, parameters
        ).rowsAffected
        guard jobs < limit else { return }
        try execute("delete from \(sql.hooks) where run_id = $1", [.text(run)])
        try execute("delete from \(sql.runners) where run_id = $1", [.text(run)])
        try execute("update \(sql.runs) set folded_at = \(sql.clock) where id = $1", [.text(run)])
    }
}
