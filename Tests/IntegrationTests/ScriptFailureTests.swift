import Foundation
import TestSupport
import Testing

/// Scripts that fail in ways which are easily taken for success.
@Suite(.needsPostgres) struct ScriptFailureTests {
    /// Three tenants in schemas, each with a table `t` of two equal rows, and one runbook.
    private func withTenants(
        script: String, extras: String = "", body: (PostgresDatabase, Workplace) async throws -> Void
    ) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            for tenant in ["a", "b", "c"] {
                try await database.psql("CREATE SCHEMA \(tenant); CREATE TABLE \(tenant).t AS SELECT 1 AS x, 1 AS y;")
                try await database.psql("INSERT INTO \(tenant).t VALUES (1, 2)")
            }
            try workplace.write("script.sql", script + "\n")
            try workplace.write(
                "deploy.json5",
                """
                {
                  manifest: 1,
                  ledger: { url: "${DATABASE_URL}" },
                  tenants: {
                    list: [{ id: "a", schema: "a" }, { id: "b", schema: "b" }, { id: "c", schema: "c" }],
                    target: { schema: "{schema}" },
                  },
                  defaults: { retries: 0 },
                  runbooks: [{ id: "one", sql: "script.sql", \(extras) }],
                }
                """)
            try await body(database, workplace)
        }
    }

    /// Guarantee: a concurrent index build that fails leaves an invalid index; that is said, it does not count as done, and it
    /// is not tried again behind anybody's back.
    @Test func invalidIndexIsNamedAndWaitsForAPerson() async throws {
        try await withTenants(
            script: "CREATE UNIQUE INDEX CONCURRENTLY t_x_key ON t (x);", extras: "transaction: false"
        ) { database, workplace in
            try await database.psql("DELETE FROM b.t WHERE y = 2")

            let report = try await workplace.apply()

            #expect(!report.ok)
            let failures = report.failures.sorted { $0.tenant ?? "" < $1.tenant ?? "" }
            #expect(failures.map(\.tenant) == ["a", "c"])
            #expect(failures.allSatisfy { $0.clean == false && $0.sqlstate == "23505" }, "\(failures)")
            let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
            #expect(try await database.lines(invalid) == ["2"])

            let second = try await workplace.apply()
            #expect(second.exitCode == 5, "\(second.failures)")
            #expect(try await database.lines(invalid) == ["2"])
        }
    }

    /// Guarantee: an index that an interrupted build left invalid does not pass for a good one.
    @Test func leftoverOfSomebodyElseDoesNotPass() async throws {
        try await withTenants(
            script: "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_x_key ON t (x);", extras: "transaction: false"
        ) { database, workplace in
            _ = try? await database.psql("CREATE UNIQUE INDEX CONCURRENTLY t_x_key ON a.t (x)")
            try await database.psql("DELETE FROM a.t WHERE y = 2; DELETE FROM b.t; DELETE FROM c.t")
            #expect(try await database.lines("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == ["1"])

            let report = try await workplace.apply()

            #expect(report.exitCode != 0)
            #expect(report.failures.map(\.tenant) == ["a"])
        }
    }

    /// Guarantee: a verify query that answers false fails the execution, and nothing of the script remains.
    @Test func falseVerifyRollsBack() async throws {
        try await withTenants(script: "DELETE FROM t WHERE y = 2;", extras: "verify: \"verify.sql\"") {
            database, workplace in
            try workplace.write("verify.sql", "SELECT count(*) = 2 OR current_schema() = 'b' FROM t\n")

            let report = try await workplace.apply()

            #expect(report.exitCode == 3)
            #expect(Set(report.failures.map(\.tenant)) == ["a", "c"])
            #expect(report.failures.allSatisfy { $0.clean == true }, "\(report.failures)")
            let rows = try await database.lines(
                "SELECT (SELECT count(*) FROM a.t), (SELECT count(*) FROM b.t), (SELECT count(*) FROM c.t)")
            #expect(rows == ["2|1|2"])
        }
    }

    /// Guarantee: a constraint that is only checked at the end fails before the receipt, with its SQLSTATE.
    @Test func deferredConstraintFails() async throws {
        try await withTenants(
            script: """
                CREATE TABLE parent (id int PRIMARY KEY);
                CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
                INSERT INTO child SELECT 1 WHERE current_schema() = 'b';
                """
        ) { database, workplace in
            let report = try await workplace.apply()

            #expect(report.exitCode == 3)
            #expect(report.failures.map(\.tenant) == ["b"])
            #expect(report.failures.first?.sqlstate == "23503")
            #expect(
                try await database.lines("SELECT schemaname FROM pg_tables WHERE tablename = 'child' ORDER BY 1") == [
                    "a", "c",
                ])
            #expect(try await database.lines("SELECT tenant FROM muster.completed ORDER BY 1") == ["a", "c"])
        }
    }

    /// Guarantee: whatever a script does to the transaction it runs in, nobody gets a receipt for work that is not there.
    @Test(arguments: [
        "INSERT INTO t VALUES (7, 7); RESET ALL;", "INSERT INTO t VALUES (7, 7); SET ROLE nobody_at_all;",
        "INSERT INTO t VALUES (7, 7); SELECT pg_terminate_backend(pg_backend_pid());",
        "INSERT INTO t VALUES (7, 7); SET TRANSACTION READ ONLY;",
        "INSERT INTO t VALUES (7, 7); DO $$ BEGIN COMMIT; END $$;",
        "INSERT INTO t VALUES (7, 7); SET SESSION AUTHORIZATION pg_monitor;",
        "INSERT INTO t VALUES (7, 7); SELECT pg_advisory_unlock_all();",
        "INSERT INTO t VALUES (7, 7); SAVEPOINT s; ROLLBACK TO SAVEPOINT s;",
        "INSERT INTO t VALUES (7, 7); DISCARD TEMP;", "INSERT INTO t VALUES (7, 7); SET search_path = b, pg_catalog;",
    ])
    func receiptsEqualEffects(_ script: String) async throws {
        try await withTenants(script: script) { database, workplace in
            // A connection that is lost again and again is given a minute.
            let report = try await workplace.apply(limit: .seconds(150))

            let effects = try await database.lines(
                """
                SELECT tenant, count(*) FROM (
                    SELECT 'a' AS tenant, x FROM a.t UNION ALL SELECT 'b', x FROM b.t UNION ALL SELECT 'c', x FROM c.t
                ) AS rows WHERE x = 7 GROUP BY 1 ORDER BY 1
                """)
            let hasLedger = try await database.lines("SELECT to_regclass('muster.completed') IS NOT NULL") == ["t"]
            let receipts =
                hasLedger ? try await database.lines("SELECT tenant, 1 FROM muster.completed ORDER BY 1") : []
            #expect(effects == receipts)
            #expect((report.exitCode == 0) == (receipts.count == 3), "\(report.failures)")
        }
    }

    /// Guarantee: `validate` and `apply` refuse what would end Muster's transaction or could not run in it, with the line, and
    /// nothing is touched.
    @Test(arguments: [
        "COMMIT;", "ROLLBACK", "/* a */ begin;", "end;", "START TRANSACTION;", "PREPARE TRANSACTION 'x';",
        "CREATE INDEX CONCURRENTLY i ON t (x);", "VACUUM t;", "CREATE DATABASE d;", "\\i other.sql",
        "COPY t FROM stdin;", "COPY t TO STDOUT;", "SELECT 'open", "/* open", "ABORT;",
    ])
    func refusedBeforeAnythingRuns(_ statement: String) async throws {
        try await withTenants(script: "INSERT INTO t VALUES (7, 7);\n\n\(statement)") { database, workplace in
            let validation = try await workplace.muster("validate", "-f", "deploy.json5").run()
            #expect(validation.code == 4, "\(validation)")
            #expect((validation.output + validation.errors).contains("script.sql:3"), "\(validation)")

            #expect(try await workplace.apply().exitCode == 4)
            #expect(try await database.lines("SELECT x FROM a.t WHERE x = 7") == [])
            #expect(try await database.lines("SELECT to_regnamespace('muster') IS NULL") == ["t"])
        }
    }

    /// Guarantee: `lock_timeout` limits the wait for a table and not more; a tenant whose table is locked fails, cleanly.
    @Test func lockedTableFailsItsTenantAlone() async throws {
        try await withTenants(script: "ALTER TABLE t ADD COLUMN z int;", extras: "lock_timeout: \"200ms\"") {
            database, workplace in
            let holder = try Command(
                "psql", database.url, "-XqAt", "-c", "BEGIN", "-c", "LOCK TABLE b.t", "-c", "SELECT pg_sleep(600)",
                environment: ["PGAPPNAME": "holder"]
            ).start()
            let isHeld = try await eventually {
                try await database.lines("SELECT 1 FROM pg_locks WHERE relation = 'b.t'::regclass AND granted") == ["1"]
            }
            try #require(isHeld)

            let report = try await workplace.apply()

            #expect(report.failures.map(\.tenant) == ["b"])
            #expect(report.failures.first?.sqlstate == "55P03")
            #expect(report.failures.first?.clean == true)
            try await database.psql(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'holder' "
                    + "AND datname = current_database()")
            _ = try await holder.ending(within: .seconds(20))
            #expect(try await workplace.apply().exitCode == 0)
        }
    }

    /// Guarantee: what a changed script under a finished key means is the manifest's to say.
    @Test(arguments: [("fail", 4, "1"), ("rerun", 0, "2"), ("accept", 0, "1")])
    func changedScriptDoesAsToldTo(_ policy: String, _ code: Int, _ rows: String) async throws {
        try await withTenants(script: "INSERT INTO t VALUES (7, 7);", extras: "on_change: \"\(policy)\"") {
            database, workplace in
            #expect(try await workplace.apply().exitCode == 0)
            try workplace.write("script.sql", "INSERT INTO t VALUES (7, 8);\n")

            let report = try await workplace.apply()

            #expect(report.exitCode == code, "\(String(describing: report.error))")
            #expect(try await database.lines("SELECT count(*) FROM b.t WHERE x = 7") == [rows])
            if policy != "fail" { #expect(try await workplace.apply().nothingToDo) }
        }
    }
}
