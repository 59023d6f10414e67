import Foundation
import TestSupport
import Testing

/// A real streaming replica behind the server that Muster works on.
@Suite struct ReplicaLagTests {
    /// Guarantee: while a replica is further behind than `max_lag` no batch begins, and the live view's events say why; once
    /// it has caught up they go on, and every row is worked on once.
    @Test(.needsPostgres) func batchesWaitForTheReplica() async throws {
        try await PostgresCluster.with { cluster, database in
            let fleet = try await SchemaFleet.make(
                1, in: database,
                runbooks:
                    #"{ id: "fill", batch: { sql: "fill.sql", size: 10, target: "none", pause: "20ms", max_lag: "1s" } }"#,
                scripts: [
                    "fill.sql": """
                    WITH page AS (SELECT id FROM items WHERE id > coalesce(:cursor::bigint, 0) ORDER BY id LIMIT :limit),
                    done AS (UPDATE items SET touched = touched + 1 FROM page WHERE items.id = page.id)
                    SELECT max(id) AS cursor, count(*) AS rows FROM page

                    """
                ])
            try await database.psql(
                "CREATE TABLE t0001.items AS SELECT id, 0 AS touched FROM generate_series(1, 2500) id; "
                    + "ALTER TABLE t0001.items ADD PRIMARY KEY (id);")
            try await cluster.withReplica { replica in
                func touched(_ place: PostgresDatabase) async throws -> Int {
                    Int(try await place.lines("SELECT sum(touched) FROM t0001.items").first ?? "") ?? -1
                }
                let isStreaming = try await eventually {
                    try await database.lines("SELECT state FROM pg_stat_replication") == ["streaming"]
                }
                try #require(isStreaming)
                // It has been seen to follow: only from then on does the server know how far behind it is.
                let hasBegun = try await {
                    let apply = try fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "ndjson").start()
                    let isSeen = try await eventually { try await touched(replica) > 0 }
                    return isSeen ? apply : nil
                }()
                let apply = try #require(hasBegun)

                try await replica.psql("SELECT pg_wal_replay_pause()")
                let isWaiting = try await eventually(within: .seconds(60)) {
                    try await database.lines(
                        "SELECT count(*) FROM pg_stat_replication WHERE replay_lag > interval '3 seconds'") == ["1"]
                }
                try #require(isWaiting)
                let before = try await touched(database)
                #expect(before < 2500)
                // Further behind by two seconds, in which 100 batches would have been done.
                let isFurther = try await eventually(within: .seconds(60)) {
                    try await database.lines(
                        "SELECT count(*) FROM pg_stat_replication WHERE replay_lag > interval '5 seconds'") == ["1"]
                }
                try #require(isFurther)
                #expect(try await touched(database) == before)
                #expect(apply.isRunning)

                try await replica.psql("SELECT pg_wal_replay_resume()")
                let ending = try await apply.ending(within: .seconds(90))

                #expect(ending.code == 0, "\(ending.errors)")
                #expect(ending.output.contains("a replica that is "), "\(ending.output)")
                let counts = "SELECT touched || ': ' || count(*) FROM t0001.items GROUP BY touched"
                #expect(try await database.lines(counts) == ["1: 2500"])
                #expect(try await eventually { try await replica.lines(counts) == ["1: 2500"] })
            }
        }
    }
}
