import Foundation
import TestSupport
import Testing

/// A runner that is gone in the middle of its work.
@Suite struct CrashTests {
    /// Guarantee: after kill -9 the next apply finishes the run, and every identity had its effect exactly once.
    @Test(.needsPostgres) func killedRunIsFinishedByTheNext() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 40, in: database)
            try await database.psql("CREATE TABLE public.witness (tenant name)")
            try workplace.write(
                "slow.sql", "INSERT INTO public.witness VALUES (current_schema());\nSELECT pg_sleep(0.2);\n")
            try workplace.write(
                "deploy.json5",
                """
                {
                  manifest: 1,
                  ledger: { url: "${DATABASE_URL}" },
                  tenants: {
                    query: "SELECT slug AS id, schema_name AS schema FROM public.tenants ORDER BY slug",
                    target: { schema: "{schema}" },
                  },
                  concurrency: { tenants: 2 },
                  runbooks: [{ id: "slow", sql: "slow.sql" }],
                }
                """)
            // A shell watches and kills: tests that run beside this one may keep it from looking for seconds.
            let watch = """
                "$1" apply -f deploy.json5 & runner=$!
                for look in $(seq 600); do
                    [ "$(psql -XqAt -d "$2" -c 'SELECT count(*) FROM public.witness')" -ge 3 ] && break
                    sleep 0.05
                done
                kill -KILL $runner
                wait $runner
                """
            let ending = try await Command(
                "bash", "-c", watch, "bash", Checkout.muster, database.name, folder: workplace.folder,
                environment: workplace.environment
            ).run()
            try #require(ending.code == 128 + SIGKILL, "\(ending)")

            let report = try await workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures)")
            let effects = try await database.lines("SELECT count(*), count(DISTINCT tenant) FROM public.witness")
            #expect(effects == ["40|40"])
            #expect(try await database.lines("SELECT DISTINCT status FROM muster.runs") == ["completed"])
        }
    }

    /// Guarantee: the same over SQLite files, whose receipts are in the files themselves.
    @Test func killedRunOverFilesIsFinishedByTheNext() async throws {
        let workplace = try Workplace(sample: "findings-lifecycle/sqlite")
        try await Command("./setup", "40", folder: workplace.folder).output()
        try workplace.write(
            "slow.sql",
            """
            CREATE TABLE slow (x);
            WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
            INSERT INTO slow SELECT max(i) FROM n;

            """)
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1,
              ledger: { url: "sqlite:.muster/ledger.db" },
              tenants: { files: "tenants/*.db" },
              concurrency: { tenants: 2 },
              runbooks: [{ id: "slow", sql: "slow.sql" }],
            }
            """)
        let command = try workplace.muster("apply", "-f", "deploy.json5").start()
        let third = SQLiteFile(path: workplace.folder.appending(path: "tenants/tenant-0003.db"))
        let isUnderWay = try await eventually {
            try await third.lines("SELECT 1 FROM sqlite_schema WHERE name = 'slow'") == ["1"]
        }
        try #require(isUnderWay)
        command.send(SIGKILL)
        _ = try await command.ending()

        let report = try await workplace.apply()

        #expect(report.exitCode == 0, "\(report.failures)")
        let effects = try await Command(
            "sh", "-c", "for file in tenants/*.db; do sqlite3 $file 'SELECT count(*) FROM slow'; done | sort | uniq -c",
            folder: workplace.folder
        ).output()
        #expect(
            effects.split(separator: " ").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } == ["40", "1"])
    }
}
