package import DatabaseAccess
package import RunbookModel

/// What a batch of results made of a run.
package struct WrittenResults: Sendable {
    /// How many jobs were written. Fewer than given means that this runner was superseded on some.
    package var count = 0
    /// How many of these were given back, since the server has lost what they had committed.
    package var lost = 0
    /// Why nothing more of the run begins; nil while it goes on, or when nobody asked.
    package var stopReason: String?
    /// The failures so far of the waves that were judged, by number of the wave.
    package var tallies: [Int: FailureTally] = [:]

    package init() {}
}

extension Ledger {
    /// Stops a run: nothing more of it begins. What has not begun is cancelled, what is under way may end, and then the
    /// run completes. The first reason stays.
    ///
    /// - Parameter reason: in words for people, without a full stop.
    /// - Returns: whether this call stopped it.
    package func stop(_ run: String, reason: String) throws(DatabaseError) -> Bool {
        try writing { () throws(DatabaseError) in try stopped(run, reason) }
    }

    /// The same inside a transaction.
    private func stopped(_ run: String, _ reason: String) throws(DatabaseError) -> Bool {
        let stopped = try result(
            of: """
                update \(sql.runs) set stop_reason = $2
                where id = $1 and status <> 'completed' and stop_reason is null
                """, [.text(run), .text(reason)])
        guard stopped.rowsAffected == 1 else { return false }
        try cancelQueued(run)
        return true
    }

    /// Closes what has not begun in a run that was stopped.
    func cancelQueued(_ run: String) throws(DatabaseError) {
        try execute(
            """
            update \(sql.jobs) set state = 'cancelled', reason = 'stopped', finished_at = \(sql.clock)
            where run_id = $1 and state = 'queued'
            """, [.text(run)])
    }

    /// Counts the failures of the waves that these results are of, and stops the run when a rule says so.
    func judge(_ results: [JobResult], run: String, _ rules: [StopRule]) throws(DatabaseError) -> WrittenResults {
        var answer = WrittenResults()
        answer.count = results.count
        guard rules.contains(where: \.isInForce) else { return answer }
        let failed = results.filter { $0.hasFailed && !$0.job.tenant.isEmpty }
        for wave in Set(failed.map { $0.job.stage % rules.count }).sorted() where rules[wave].isInForce {
            let tally = try failures(ofRun: run, wave: wave, of: rules.count)
            answer.tallies[wave] = tally
            let reason = rules[wave].stopReason(tally) { cause in
                failed.lazy.compactMap(\.failure).first { FailureSignature($0).name == cause }?.message
            }
            if let reason { _ = try stopped(run, reason) }
        }
        answer.stopReason = try row("select stop_reason from \(sql.runs) where id = $1", [.text(run)])?[0].text
        return answer
    }

    /// The tenants that failed in this run: those that began with their end are of an earlier one.
    func failures(ofRun run: String, wave: Int, of waves: Int) throws(DatabaseError) -> FailureTally {
        var tally = FailureTally()
        try query(
            """
            select cause, count(*) from \(sql.jobs)
            where run_id = $1 and state in ('failed', 'unknown') and attempt > 0 and tenant <> '' and stage % $2 = $3
            group by cause
            """, [.text(run), DatabaseValue(waves), DatabaseValue(wave)]
        ) { row throws(DatabaseError) in tally.add(row[0].text, row[1].integer ?? 0) }
        return tally
    }
}
