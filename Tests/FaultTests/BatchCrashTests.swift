import Foundation
import TestSupport
import Testing

/// Backfills whose runner is killed or stopped between and inside batches, through the built program.
@Suite struct BatchCrashTests {
    private static let fill = """
        WITH page AS (SELECT id FROM items WHERE id > coalesce(:cursor::bigint, 0) ORDER BY id LIMIT :limit),
        done AS (UPDATE items SET touched = touched + 1 FROM page WHERE items.id = page.id)
        SELECT max(id) AS cursor, count(*) AS rows FROM page
        """

    private func make(
        _ tenants: Int, rows: Int, in database: PostgresDatabase, batch: String, fill: String = fill
    ) async throws -> SchemaFleet {
        let fleet = try await SchemaFleet.make(
            tenants, in: database, concurrency: 2,
            runbooks: "{ id: \"fill\", batch: { sql: \"fill.sql\", \(batch) } }", scripts: ["fill.sql": fill])
        try await database.psql(
            """
            DO $$ BEGIN FOR i IN 1..\(tenants) LOOP
                EXECUTE format('CREATE TABLE %I.items AS SELECT id, 0 AS touched FROM generate_series(1, \(rows)) id',
                    't' || to_char(i, 'FM0000'));
                EXECUTE format('ALTER TABLE %I.items ADD PRIMARY KEY (id)', 't' || to_char(i, 'FM0000'));
            END LOOP; END $$;
            """)
        return fleet
    }

    /// How many rows were counted up how often, over all tenants.
    private func counts(_ tenants: Int, _ database: PostgresDatabase) async throws -> [String] {
        let all = (1...tenants).map { "SELECT touched FROM t\(String(format: "%04d", $0)).items" }
        return try await database.lines(
            "SELECT touched || ': ' || count(*) FROM (\(all.joined(separator: " UNION ALL "))) x GROUP BY touched ORDER BY 1"
        )
    }

    private func rowsSoFar(_ database: PostgresDatabase) async throws -> Int {
        let lines = try? await database.lines("SELECT coalesce(sum(rows_affected), 0) FROM muster.executions")
        return Int(lines?.first ?? "") ?? 0
    }

    /// Guarantee 3: killed with -9 again and again wherever it is, every row is worked on exactly once; the ledger says
    /// how far it has come meanwhile.
    ///
    /// A batch sleeps, so that the backfill is still under way when a busy machine looks at it the next time. Where it is
    /// not, it has ended well, and was killed less often.
    @Test(.needsPostgres) func killedAgainAndAgain() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await make(
                6, rows: 3000, in: database, batch: "size: 40, target: \"none\"",
                fill: Self.fill.replacing("FROM page)", with: "FROM page, pg_sleep(0.05))"))
            var before = 0
            var kills = 0
            while kills < 5 {
                let runner = try fleet.start()
                let goal = before + 18_000 / 10
                let isSeen = try await eventually(within: .seconds(60)) {
                    let rows = try await rowsSoFar(database)
                    if rows >= goal { return true }
                    return (try? await fleet.runs())?.contains { $0.hasPrefix("completed") } == true
                }
                try #require(isSeen, "kill \(kills + 1)")
                runner.send(SIGKILL)
                let ending = try await runner.ending()
                guard ending.code == 128 + SIGKILL else { break }
                kills += 1
                guard try await fleet.runs().contains(where: { $0.hasPrefix("running") }) else { break }
                let now = try await rowsSoFar(database)
                #expect(now >= goal)
                before = now
            }
            #expect(kills > 1)
            let report = try await fleet.workplace.apply()
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try await counts(6, database) == ["1: 18000"])
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: two runners share the tenants, one of them is killed, and the other goes on with its batches.
    @Test(.needsPostgres) func otherRunnerGoesOn() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await make(4, rows: 2000, in: database, batch: "size: 20, target: \"none\", pause: \"2ms\"")
            let runners = try (0..<2).map { _ in try fleet.start() }
            try #require(try await eventually(within: .seconds(60)) { try await rowsSoFar(database) >= 1000 })
            runners[0].send(SIGKILL)
            _ = try await runners[0].ending()
            let report = try PrintedReport(try await runners[1].ending())
            #expect(report.exitCode == 0, "\(report.failures) \(report.notices)")
            #expect(try await counts(4, database) == ["1: 8000"])
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: a signal stops between two batches; the state stays running with its cursor, nobody has to decide, and
    /// the next apply goes on from there.
    @Test(.needsPostgres, arguments: [SIGINT, SIGTERM]) func signalStopsBetweenBatches(signal: Int32) async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await make(2, rows: 400, in: database, batch: "size: 10, target: \"none\", pause: \"50ms\"")
            let runner = try fleet.start()
            try #require(try await eventually(within: .seconds(60)) { try await rowsSoFar(database) >= 40 })
            runner.send(signal)
            let report = try PrintedReport(try await runner.ending(within: .seconds(30)))
            #expect(report.exitCode == Int(128 + signal))
            #expect(report.failures.isEmpty)
            let states = try await database.lines(
                "SELECT DISTINCT state || ' ' || (cursor::int = rows_affected)::text FROM muster.executions")
            #expect(states == ["running true"])
            let check = try await fleet.workplace.muster("check", "-f", "deploy.json5", "fill", "--all-tenants").run()
            #expect(check.code == 1, "\(check)")

            let second = try await fleet.workplace.apply()
            #expect(second.exitCode == 0, "\(second.failures)")
            #expect(second.run?.joined == true)
            #expect(try await counts(2, database) == ["1: 800"])
        }
    }

    /// Guarantee: NDJSON tells how far a backfill has come, about once a second and not once a batch.
    @Test(.needsPostgres) func eventsComeAtABoundedRate() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await make(1, rows: 3000, in: database, batch: "size: 1, target: \"none\"")
            let began = ContinuousClock.now
            let ending = try await fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "ndjson").run()
            let seconds = Int((ContinuousClock.now - began) / .seconds(1)) + 1
            #expect(ending.code == 0, "\(ending)")
            let lines = ending.output.split(separator: "\n").filter { $0.contains(#""event":"batch""#) }
            #expect(lines.count <= seconds)
            for line in lines { #expect(line.contains(#""size":1,"#) && line.contains(#""cursor":""#), "\(line)") }
        }
    }

    /// Guarantee: after the first ten batches none holds longer than twice its target, although the cost of a row jumps.
    @Test(.needsPostgres) func noBatchHoldsLongerThanTwiceItsTarget() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                1, in: database, runbooks: #"{ id: "fill", batch: { sql: "fill.sql", size: 10, target: "100ms" } }"#,
                scripts: [
                    "fill.sql": """
                    WITH page AS (SELECT id FROM items WHERE id > coalesce(:cursor::bigint, 0) ORDER BY id LIMIT :limit),
                    wait AS (SELECT sum(length(pg_sleep(CASE WHEN id > 1000 THEN 0.004 ELSE 0.0002 END)::text)) FROM page),
                    done AS (UPDATE items SET held = clock_timestamp() - now() FROM page, wait WHERE items.id = page.id)
                    SELECT max(id) AS cursor, count(*) AS rows FROM page
                    """
                ])
            try await database.psql(
                "CREATE TABLE t0001.items (id int PRIMARY KEY, held interval); INSERT INTO t0001.items SELECT generate_series(1, 1500)"
            )
            let report = try await fleet.workplace.apply()
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try await database.lines("SELECT count(*) FROM t0001.items WHERE held IS NULL") == ["0"])
            // The first ten took at most 10 × 1.25^n rows.
            let longest = try await database.lines(
                "SELECT max(held) < interval '200 ms' FROM t0001.items WHERE id > 400")
            #expect(longest == ["t"])
        }
    }
}
