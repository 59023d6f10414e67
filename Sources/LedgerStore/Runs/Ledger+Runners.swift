package import DatabaseAccess

/// A runner that is about to work on a run.
package struct NewRunner: Sendable {
    package var id: String
    package var host: String
    package var pid: Int
    /// What it holds as long as it lives; nil when it cannot hold anything.
    package var lockKey: Int64?
    /// How many connections to one server it takes where no other runner is: in a run that is new.
    package var connections: Int

    package init(id: String, host: String, pid: Int, lockKey: Int64? = nil, connections: Int = 0) {
        self.id = id
        self.host = host
        self.pid = pid
        self.lockKey = lockKey
        self.connections = connections
    }
}

extension Ledger {
    /// How long a runner may be silent before its jobs are taken over, in seconds. It beats every two seconds.
    package static let silence = Failpoint.setting("MUSTER_SILENCE", 15)

    /// How long a runner may be silent before somebody looks whether it still holds its key, in seconds.
    package static let pause = Failpoint.setting("MUSTER_PAUSE", 5)

    package func addRunner(
        _ runner: String, run: String, host: String, pid: Int, lockKey: Int64? = nil
    ) throws(DatabaseError) {
        try Failpoint.reach(.addRunner, .before)
        try add(NewRunner(id: runner, host: host, pid: pid, lockKey: lockKey), to: run)
        try Failpoint.reach(.addRunner, .after)
    }

    /// The same inside a transaction.
    func add(_ runner: NewRunner, to run: String, connections: Int = 0) throws(DatabaseError) {
        try execute(
            """
            insert into \(sql.runners) (id, run_id, host, pid, lock_key, connections) values ($1, $2, $3, $4, $5, $6)
            """,
            [
                .text(runner.id), .text(run), .text(runner.host), DatabaseValue(runner.pid),
                runner.lockKey.map { .integer($0) } ?? .null, DatabaseValue(connections),
            ])
    }

    /// Says that the runner lives, also to those who took it for dead.
    package func beat(_ runner: String) throws(DatabaseError) {
        try Failpoint.reach(.beat, .before)
        try execute(
            "update \(sql.runners) set heartbeat_at = \(sql.clock), ended_at = null where id = $1", [.text(runner)])
        try Failpoint.reach(.beat, .after)
    }

    /// Runners of the run that have jobs, its gate or one of its hooks, a key, and were not heard of for a while.
    package func quietRunners(of run: String) throws(DatabaseError) -> [(id: String, lockKey: Int64)] {
        try rows(
            """
            select id, lock_key from \(sql.runners) r
            where run_id = $1 and ended_at is null and lock_key is not null
                and heartbeat_at < \(sql.ago(seconds: Self.pause))
                and (exists (
                    select 1 from \(sql.jobs) where run_id = $1 and runner = r.id and state = 'running')
                    or exists (select 1 from \(sql.runs) where id = $1 and gate_runner = r.id)
                    or exists (select 1 from \(sql.hooks) where run_id = $1 and runner = r.id and state = 'running'))
            """, [.text(run)]
        ).compactMap { row in
            guard let id = row[0].text, case .integer(let key) = row[1] else { return nil }
            return (id, key)
        }
    }

    /// Notes that a runner is gone, unless it was heard of meanwhile.
    package func buryRunner(_ runner: String) throws(DatabaseError) {
        try Failpoint.reach(.buryRunner, .before)
        try execute(
            """
            update \(sql.runners) set ended_at = \(sql.clock)
            where id = $1 and ended_at is null and heartbeat_at < \(sql.ago(seconds: Self.pause))
            """, [.text(runner)])
        try Failpoint.reach(.buryRunner, .after)
    }

    /// Says goodbye: what the runner had claimed and not begun goes back to the queue.
    package func endRunner(_ runner: String, run: String) throws(DatabaseError) {
        try session.begin([sql.begin] + sql.ownPath + sql.unhurried)
        let isUntold = try session.rollingBackOnFailure { () throws(DatabaseError) in
            try noteEnd(of: runner, run: run)
            try execute(
                """
                update \(sql.jobs) set \(givenBack)
                where run_id = $1 and runner = $2 and state = 'running'
                """, [.text(run), .text(runner)])
            try Failpoint.reach(.endRunner, .before)
            return try answers(to: mayBeUntold(run), commits: true)
        }
        try Failpoint.reach(.endRunner, .after)
        // Nearly never. Who dies before this leaves it to the next run.
        if isUntold { try writing { () throws(DatabaseError) in try writeUntold(of: run) } }
    }

    /// The run's row comes before its jobs', as everywhere.
    func noteEnd(of runner: String, run: String) throws(DatabaseError) {
        try execute(
            "update \(sql.runs) set gate_runner = null where id = $1 and gate_runner = $2",
            [.text(run), .text(runner)])
        try execute("update \(sql.runners) set ended_at = \(sql.clock) where id = $1", [.text(runner)])
    }

    /// How many other runners of the run are alive.
    package func countOtherRunners(of run: String, than runner: String) throws(DatabaseError) -> Int {
        try row(
            """
            select count(*) from \(sql.runners) where run_id = $1 and id <> $2 and ended_at is null
                and heartbeat_at >= \(sql.ago(seconds: Self.silence))
            """, [.text(run), .text(runner)])?[0].integer ?? 0
    }

    /// Gives the jobs of silent runners back to the queue. Each claim counts up the job's attempt, so that the silent
    /// one, should it wake up, is fenced off.
    package func releaseSilentRunners(of run: String) throws(DatabaseError) -> Int {
        // What is locked is being written, or given back by somebody else.
        let free = dialect == .postgresql ? "for update skip locked" : ""
        try Failpoint.reach(.releaseSilent, .before)
        let released = try result(
            of: """
                with s as materialized (
                    select tenant, attempt from \(sql.jobs)
                    where run_id = $1 and state = 'running' and runner in (
                        select id from \(sql.runners)
                        where run_id = $1 and (ended_at is not null or heartbeat_at < \(sql.ago(seconds: Self.silence))))
                    \(free))
                update \(sql.jobs) as j set \(givenBack) from s
                where j.run_id = $1 and j.tenant = s.tenant and j.attempt = s.attempt and j.state = 'running'
                """, [.text(run)]
        ).rowsAffected
        try Failpoint.reach(.releaseSilent, .after)
        return released
    }
}
