package import DatabaseAccess

extension Ledger {
    /// Whether a runner is known and has said goodbye or been silent for too long. False for one that lives and for one
    /// that this ledger has never seen: it is somebody else's.
    package func isGone(_ runner: String) throws(DatabaseError) -> Bool {
        try row(
            """
            select ended_at is not null or heartbeat_at < \(sql.ago(seconds: Self.silence))
            from \(sql.runners) where id = $1
            """, [.text(runner)])?[0].boolean == true
    }

    /// Whether a runner is known and lives.
    package func isAlive(_ runner: String) throws(DatabaseError) -> Bool {
        try row(
            """
            select ended_at is null and heartbeat_at >= \(sql.ago(seconds: Self.silence))
            from \(sql.runners) where id = $1
            """, [.text(runner)])?[0].boolean == true
    }
}
