package import DatabaseAccess
package import RunbookModel

extension Ledger {
    /// What there is to know of a wave in which no job is open any more.
    ///
    /// - Parameters:
    ///   - place: of the wave in the run's course.
    ///   - tenants: how many the wave has in scope.
    package func waveEnd(
        _ run: String, at place: Int, _ course: RunCourse, tenants: Int
    ) throws(DatabaseError) -> WaveEnd {
        let tally = try failures(ofRun: run, wave: course.wave(of: place), of: course.waves)
        let isOfWave = "tenant <> '' and stage % \(course.waves) = \(course.wave(of: place))"
        // A job that has gone on to the next stage has no end; its last claim is near enough.
        let last = "max(case when \(isOfWave) and attempt > 0 then coalesce(finished_at, claimed_at) end)"
        let row = try row(
            """
            select count(case when \(isOfWave) and state in ('failed', 'blocked', 'unknown', 'cancelled') then 1 end),
                count(case when state = 'queued' and stage > $2 and stage < $3 then 1 end),
                \(sql.milliseconds(sql.clock)) - \(sql.milliseconds(last))
            from \(sql.jobs) where run_id = $1
            """, [.text(run), DatabaseValue(place), DatabaseValue(course.end(ofStageAt: place))])
        return WaveEnd(
            tenants: tenants, undone: row?[0].integer ?? 0, tally: tally, waiting: row?[1].integer ?? 0,
            since: row?[2].integer.map { .milliseconds($0) })
    }

    /// Lets one runner ask the gate at this place: the first, or the next one when that is gone.
    package func takeGate(_ run: String, at place: Int, runner: String) throws(DatabaseError) -> Bool {
        try Failpoint.reach(.takeGate, .before)
        let taken = try result(
            of: """
                update \(sql.runs) set gate_runner = $3
                where id = $1 and stage = $2 and status <> 'completed' and stop_reason is null and (
                    gate_runner is null or gate_runner = $3 or gate_runner in (
                        select id from \(sql.runners)
                        where run_id = $1 and (ended_at is not null or heartbeat_at < \(sql.ago(seconds: Self.silence)))))
                """, [.text(run), DatabaseValue(place), .text(runner)])
        try Failpoint.reach(.takeGate, .after)
        return taken.rowsAffected == 1
    }
}
