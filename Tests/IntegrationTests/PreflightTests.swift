import Foundation
import TestSupport
import Testing

/// What `plan` asks the tenants, and what it says of them.
@Suite struct PreflightTests {
    private func plan(_ workplace: Workplace, _ arguments: String...) async throws -> [String: Any] {
        let ending = try await workplace.muster(
            ["plan", "-f", "deploy.json5", "--format", "json"] + arguments
        ).run()
        let document = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
        return try #require(document, "\(ending)")
    }

    private func runbook(_ document: [String: Any], _ index: Int) throws -> [String: Any] {
        try #require((document["runbooks"] as? [[String: Any]])?[index])
    }

    private func steps(_ document: [String: Any], _ tenant: String) throws -> [[String: Any]] {
        let tenants = try #require(document["tenants"] as? [[String: Any]])
        return try #require(tenants.first { $0["tenant"] as? String == tenant }?["steps"] as? [[String: Any]])
    }

    private func files(_ count: Int, preflight: String) async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write("work.sql", "UPDATE items SET done = 1 WHERE done = 0;")
        try workplace.write("count.sql", preflight)
        try workplace.write(
            "deploy.json5",
            """
            { manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "t/*.db" },
              runbooks: [{ id: "work", sql: "work.sql", preflight: "count.sql" }] }
            """)
        try await Command(
            "sh", "-ec",
            """
            mkdir t
            for n in \((1...count).map(String.init).joined(separator: " ")); do
                sqlite3 t/t$n.db "CREATE TABLE items (id integer primary key, done int);
                    INSERT INTO items (done) SELECT 0 FROM generate_series(1, $n)"
            done
            """, folder: workplace.folder
        ).output()
        return workplace
    }

    /// Guarantee: each pending tenant is asked, the sum is theirs; nothing is written, and done tenants are not asked.
    @Test func filesAreCounted() async throws {
        let workplace = try await files(4, preflight: "SELECT count(*) FROM items WHERE done = 0")
        let before = try await workplace.contents()
        let document = try await plan(workplace)
        try await expectSame(workplace.contents(), before, "every file before and after")
        let sum = try #require(try runbook(document, 0)["preflight"] as? [String: Int])
        #expect(sum == ["sum": 10, "answered": 4, "failed": 0])
        #expect((try steps(document, "t3").first?["preflight"] as? [String: Any])?["count"] as? Int == 3)

        #expect(try await workplace.apply("--tenant", "t4").exitCode == 0)
        let after = try await plan(workplace)
        #expect(try runbook(after, 0)["preflight"] as? [String: Int] == ["sum": 6, "answered": 3, "failed": 0])
        let duration = try #require(try runbook(after, 0)["duration"] as? [String: Int])
        #expect(duration["samples"] == 1)
        let estimate = try #require(after["estimate"] as? [String: Any])
        #expect(estimate["duration_ms"] is Int)
        #expect((estimate["without_figure"] as? [String])?.isEmpty == true)
    }

    /// Guarantee: a query that writes, fails or answers no number is that tenant's answer, and not the end of the plan.
    @Test(arguments: [
        "DELETE FROM items RETURNING 1", "SELECT id FROM items", "SELECT 'many'", "SELECT * FROM nowhere",
        "SELECT 1 FROM items WHERE id < 0", "SELECT NULL",
    ]) func badAnswersAreValues(_ query: String) async throws {
        let workplace = try await files(2, preflight: query)
        let before = try await workplace.contents()
        let document = try await plan(workplace)
        try await expectSame(workplace.contents(), before, "every file before and after")
        #expect(document["exit_code"] as? Int == 0)
        let step = try #require(try steps(document, "t2").first)
        #expect(step["decision"] as? String == "run")
        #expect(((step["preflight"] as? [String: Any])?["error"] as? String)?.contains("count.sql") == true, "\(step)")
    }

    /// Guarantee: on a server too, in schemas; nothing can be written, whatever the query calls.
    @Test(.needsPostgres) func schemasAreCounted() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            for n in 1...3 {
                try await database.psql(
                    "CREATE SCHEMA t\(n); CREATE TABLE t\(n).items AS SELECT g FROM generate_series(1, \(n)) g")
            }
            try await database.psql(
                """
                CREATE FUNCTION public.drain() RETURNS bigint LANGUAGE plpgsql AS
                $$ BEGIN SET LOCAL transaction_read_only = off; DELETE FROM t1.items; RETURN 1; END $$
                """)
            try workplace.write("work.sql", "DELETE FROM items;")
            try workplace.write("count.sql", "SELECT count(*) FROM items")
            try workplace.write("bad.sql", "SELECT public.drain()")
            try workplace.write(
                "deploy.json5",
                """
                { manifest: 1, ledger: { url: "${DATABASE_URL}" },
                  tenants: { query: "SELECT nspname AS id, nspname AS schema FROM pg_namespace WHERE nspname ~ '^t[0-9]' ORDER BY 1",
                             target: { schema: "{schema}" } },
                  runbooks: [{ id: "work", sql: "work.sql", preflight: "count.sql" },
                             { id: "more", sql: "work.sql", preflight: "bad.sql" }] }
                """)
            let before = try await database.dump(ledger: true)
            let document = try await plan(workplace)
            try await expectSame(database.dump(ledger: true), before, "the database before and after")
            #expect(try runbook(document, 0)["preflight"] as? [String: Int] == ["sum": 6, "answered": 3, "failed": 0])
            #expect(try runbook(document, 1)["preflight"] as? [String: Int] == ["sum": 0, "answered": 0, "failed": 3])
        }
    }

    /// Guarantee: tenants on a server that does not answer are out of reach, the others are planned as ever.
    @Test(.needsPostgres) func awayServersKeepTheirTenants() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try workplace.write("work.sql", "SELECT 1;")
            try workplace.write("count.sql", "SELECT 7")
            try workplace.write(
                "deploy.json5",
                """
                { manifest: 1, ledger: { url: "sqlite:ledger.db" },
                  tenants: { list: [{ id: "here", url: "${DATABASE_URL}" },
                                    { id: "away", url: "postgres://127.0.0.1:1/nowhere" },
                                    { id: "gone", url: "postgres://127.0.0.1:1/elsewhere" }] },
                  runbooks: [{ id: "work", sql: "work.sql", preflight: "count.sql" }] }
                """)
            let document = try await plan(workplace)
            let counts = try #require(try runbook(document, 0)["counts"] as? [String: Int])
            #expect(counts["run"] == 1)
            #expect(counts["unreachable"] == 2)
            #expect(document["pending"] as? Int == 3)
            #expect((try steps(document, "here").first?["preflight"] as? [String: Any])?["count"] as? Int == 7)
            #expect(try steps(document, "gone").first?["decision"] as? String == "unreachable")
        }
    }

    /// Guarantee: who holds a tenant's lock is named, also in another database of the server; others' locks are not.
    @Test(.needsPostgres) func holdersAreNamed() async throws {
        try await PostgresDatabase.with { database in
            try await PostgresDatabase.with { other in
                let workplace = try Workplace(environment: ["HERE": database.url, "THERE": other.url])
                try workplace.write("work.sql", "SELECT 1;")
                try workplace.write(
                    "deploy.json5",
                    """
                    { manifest: 1, ledger: { url: "sqlite:ledger.db" },
                      tenants: { list: [{ id: "a", url: "${HERE}" }, { id: "b", url: "${THERE}" }] },
                      runbooks: [{ id: "work", sql: "work.sql" }] }
                    """)
                let key = try await workplace.muster(
                    "locks", "key", "b", "-f", "deploy.json5", "--format", "json"
                ).output()
                let number = try #require(
                    (try JSONSerialization.jsonObject(with: Data(key.utf8)) as? [String: Any])?["key"] as? Int)
                // The same key in both databases: there it is the tenant's, here it is nobody's.
                for (url, name) in [(database.url, "muster test here"), (other.url, "muster test there")] {
                    let holder = try Command(
                        "psql", url, "-XqAt", "-c", "SET application_name = '\(name)'",
                        "-c", "SELECT pg_advisory_lock(\(number))", "-c", "SELECT pg_sleep(600)"
                    ).start()
                    defer { holder.send(SIGKILL) }
                    let isHeld = try await eventually {
                        try await database.lines(
                            """
                            SELECT count(*) FROM pg_locks JOIN pg_stat_activity a USING (pid)
                             WHERE locktype = 'advisory' AND granted AND a.application_name = '\(name)'
                            """) == ["1"]
                    }
                    try #require(isHeld)
                    let document = try await plan(workplace)
                    let locks = try #require(document["locks"] as? [[String: Any]])
                    #expect(locks.map { $0["tenant"] as? String } == (url == other.url ? ["b"] : []))
                    if url == other.url { #expect(locks.first?["application"] as? String == name) }
                }
            }
        }
    }
}
