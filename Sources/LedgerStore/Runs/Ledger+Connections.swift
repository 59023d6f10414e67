package import DatabaseAccess
import RunbookModel

extension Ledger {
    /// Makes this runner's share of the connections to one server. Runners of a run do it one after the other.
    ///
    /// - Parameters:
    ///   - reserved: what it needs besides its workers.
    ///   - held: connections that its workers have now and will not give back at once.
    ///   - wanted: how many they can use.
    /// - Returns: how many its workers may have.
    package func takeConnections(
        _ runner: String, run: String, perServer: Int, reserved: Int, held: Int, wanted: Int
    ) throws(DatabaseError) -> Int {
        try writing { () throws(DatabaseError) in
            try execute("select 1 from \(sql.runs) where id = $1 \(sql.forUpdate)", [.text(run)])
            let others = try row(
                """
                select count(*), sum(connections) from \(sql.runners)
                where run_id = $1 and id <> $2 and ended_at is null
                    and heartbeat_at >= \(sql.ago(seconds: Self.silence))
                """, [.text(run), .text(runner)])
            let share = ConnectionShare(
                perServer: perServer, runners: 1 + (others?[0].integer ?? 0), held: others?[1].integer ?? 0,
                reserved: reserved
            ).workers(wanted: wanted)
            try execute(
                "update \(sql.runners) set connections = $2 where id = $1",
                [.text(runner), DatabaseValue(reserved + max(share, held))])
            return share
        }
    }
}
