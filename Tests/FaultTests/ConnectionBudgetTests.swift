import Foundation
import TestSupport
import Testing

/// Many tenant databases on a server with few connections.
@Suite struct ConnectionBudgetTests {
    /// Tenants in databases of their own, each with a table that counts effects.
    private func make(_ count: Int, on database: PostgresDatabase, perServer: Int, seconds: Double, tenants: Int = 12)
        async throws -> Workplace
    {
        try await database.psql("CREATE DATABASE t0000")
        try await PostgresDatabase(name: "t0000", url: database.url.replacing("/fleet?", with: "/t0000?"))
            .psql("CREATE TABLE witness (x int)")
        try await database.psql(
            Self.names(count).dropFirst().map { "CREATE DATABASE \($0) TEMPLATE t0000;\n" }.joined())
        let workplace = try Workplace(environment: [
            "LEDGER_URL": database.url, "TENANT_URL": database.url.replacing("/fleet?", with: "/{id}?"),
        ])
        try workplace.write("r.sql", "INSERT INTO witness VALUES (1); SELECT pg_sleep(\(seconds));\n")
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1,
              ledger: { url: "${LEDGER_URL}" },
              tenants: {
                query: "select datname as id from pg_database where datname ~ '^t[0-9]{4}$' order by 1",
                target: { url: "${TENANT_URL}" },
              },
              concurrency: { tenants: \(tenants), per_server: \(perServer) },
              runbooks: [{ id: "r", sql: "r.sql" }],
            }
            """)
        return workplace
    }

    private static func names(_ count: Int) -> [String] {
        (0..<count).map { "t" + String(String(10_000 + $0).dropFirst()) }
    }

    /// How often the tenants were worked on; one psql goes from one to the next.
    private func effects(_ count: Int, _ database: PostgresDatabase) async throws -> Set<String> {
        let questions = Self.names(count).map { "\\connect \($0)\nSELECT count(*) FROM witness;\n" }
        let answers = try await database.lines(questions.joined())
        #expect(answers.count == count)
        return Set(answers)
    }

    /// Looks at all sessions of the server but its own, each time in a transaction of its own: within one,
    /// pg_stat_activity stays as it was (PostgreSQL manual, 28.2.3).
    private static let sampler = """
        CREATE TABLE samples (seen int);
        CREATE TABLE over (x int);
        CREATE PROCEDURE sample() LANGUAGE plpgsql AS $$
        BEGIN
            WHILE NOT EXISTS (SELECT FROM over) LOOP
                INSERT INTO samples SELECT count(*) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();
                COMMIT;
                PERFORM pg_sleep(0.002);
                COMMIT;
            END LOOP;
        END $$
        """

    /// How many sessions were seen at most while `body` ran, and how often somebody looked.
    private func most(
        on database: PostgresDatabase, _ body: () async throws -> Void
    ) async throws -> (most: Int, looks: Int) {
        try await database.psql("CREATE DATABASE watch")
        let watch = PostgresDatabase(name: "watch", url: database.url.replacing("/fleet?", with: "/watch?"))
        try await watch.psql(Self.sampler)
        let watching = try Command("psql", watch.url, "-XqAt", "-c", "CALL sample()").start()
        try #require(try await eventually { try await watch.lines("SELECT count(*) > 0 FROM samples") == ["t"] })
        let isQuiet = """
            SELECT count(*) <= 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            """
        try #require(try await eventually { try await watch.lines(isQuiet) == ["t"] })
        try await watch.psql("TRUNCATE samples")
        try await body()
        // Whoever writes that is seen as well, at most once.
        let seen = try await watch.lines("SELECT count(*), max(seen) FROM samples; INSERT INTO over VALUES (1)")
        _ = try await watching.ending(within: .seconds(60))
        let numbers = (seen.first ?? "").split(separator: "|").compactMap { Int($0) }
        return (most: numbers.last ?? .max, looks: numbers.first ?? 0)
    }

    /// Guarantee: over databases of their own, where every tenant is a connection made and another one given back, the
    /// server never has more of them than `per_server`, the ledger's included, and refuses nobody.
    @Test(.needsPostgres) func manyDatabasesKeepToTheBudget() async throws {
        try await PostgresCluster.with(connections: 50) { cluster, database in
            let workplace = try await make(60, on: database, perServer: 8, seconds: 0, tenants: 40)

            var ending: Ending?
            let seen = try await most(on: database) {
                ending = try await workplace.muster("apply", "-f", "deploy.json5", "--format", "json")
                    .run(limit: .seconds(180))
            }

            let report = try PrintedReport(try #require(ending))
            #expect(report.exitCode == 0, "\(report.failures) \(report.notices)")
            #expect(report.counts.succeeded == 60)
            // It was used, and not passed.
            #expect((5...8).contains(seen.most), "\(seen)")
            #expect(seen.looks > 20, "\(seen)")
            #expect(try !cluster.log().contains("FATAL"))
            #expect(ending?.errors.contains("takes no more connections") == false)
            #expect(try await effects(60, database) == ["1"])
        }
    }

    /// Guarantee: two runners of a run share `per_server`: the server never sees more of their connections, the ledger's
    /// included, but for the one to the ledger with which the second runner arrives.
    @Test(.needsPostgres) func runnersSharePerServer() async throws {
        try await PostgresCluster.with { _, database in
            let workplace = try await make(40, on: database, perServer: 6, seconds: 1.5)
            let apply = ["apply", "-f", "deploy.json5", "--format", "json"]
            let question = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'muster/%'"
            let first = try workplace.muster(apply).start()
            try #require(
                try await eventually { Int(try await database.lines(question).first ?? "") ?? 0 >= 5 })
            let second = try workplace.muster(apply).start()
            var most = 0
            var samples = 0
            let isOpen = "SELECT count(*) FROM muster.runs WHERE status <> 'completed'"
            var shares: Set<String> = []
            while try await database.lines(isOpen) == ["1"] {
                most = max(most, Int(try await database.lines(question).first ?? "") ?? 0)
                samples += 1
                shares.formUnion(
                    try await database.lines(
                        """
                        SELECT string_agg(connections::text, '+' ORDER BY started_at) FROM muster.runners
                        WHERE ended_at IS NULL
                        """))
            }
            for runner in [first, second] {
                let report = try PrintedReport(try await runner.ending())
                #expect(report.exitCode == 0, "\(report.failures) \(report.notices)")
            }
            #expect(most <= 7, "\(most) in \(samples) samples")
            #expect(shares.contains("3+3"), "\(shares)")
            #expect(try await effects(40, database) == ["1"])
        }
    }

    /// Guarantee: a server that refuses more connections (53300) makes no tenant fail: fewer are tried at once, and all are
    /// done, each once.
    @Test(.needsPostgres) func refusedConnectionsFailNobody() async throws {
        try await PostgresCluster.with(connections: 8) { _, database in
            let workplace = try await make(40, on: database, perServer: 64, seconds: 0.05)

            let ending = try await workplace.muster("apply", "-f", "deploy.json5", "--format", "json").run()
            let report = try PrintedReport(ending)

            #expect(ending.errors.contains("takes no more connections"), "the server refused nobody")
            #expect(report.exitCode == 0, "\(report.failures) \(report.notices)")
            #expect(report.counts.succeeded == 40)
            #expect(report.failures.isEmpty)
            #expect(try await effects(40, database) == ["1"])
        }
    }
}
