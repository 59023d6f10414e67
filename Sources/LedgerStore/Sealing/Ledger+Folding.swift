package import DatabaseAccess

extension Ledger {
    /// Deletes a bounded part of what is older than the retention, in one transaction: the attempts, jobs, hooks and runners of
    /// one finished run, whose row keeps its counts; then attempts that no run made.
    ///
    /// - Parameter retention: in seconds.
    /// - Returns: whether there may be more.
    package func fold(olderThan retention: Int, limit: Int = 5000) throws(DatabaseError) -> Bool {
        let isOld = "finished_at < \(sql.ago(seconds: retention))"
        let old = """
            select id from \(sql.runs)
            where workspace = $1 and status = 'completed' and folded_at is null and \(isOld)
            order by finished_at, id limit 1
            """
        let stray = "run_id is null and workspace = $1 and \(isOld)"
        guard
            let found = try row(
                "select (\(old)), exists (select 1 from \(sql.attempts) where \(stray))", [.text(workspace)]),
            found[0].text != nil || found[1].boolean == true
        else { return false }
        try writing(isUnhurried: true) { () throws(DatabaseError) in
            if let run = found[0].text {
                try fold(run, limit)
            } else {
                try execute(
                    """
                    delete from \(sql.attempts)
                    where id in (select id from \(sql.attempts) where \(stray) order by id limit $2)
                    """, [.text(workspace), DatabaseValue(limit)])
            }
        }
        return true
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
