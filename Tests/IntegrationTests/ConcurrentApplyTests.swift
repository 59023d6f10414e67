import Foundation
import TestSupport
import Testing

/// Several `muster apply` on one manifest at the same moment.
@Suite struct ConcurrentApplyTests {
    private static let starts = 8

    /// Starts all of them before the first is waited for.
    private func applyAll(in workplace: Workplace) async throws -> [Ending] {
        let commands = try (0..<Self.starts).map { _ in
            try workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        }
        var endings: [Ending] = []
        for command in commands { endings.append(try await command.ending(within: .seconds(120))) }
        return endings
    }

    /// Guarantee: whoever comes first, each identity has its effect exactly once per tenant, index builds that cannot be
    /// transactional among them; nobody deadlocks and everybody ends with 0.
    @Test(.needsPostgres) func postgresDoesEverythingOnce() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 60, in: database)
            try await database.psql("CREATE TABLE public.witness (tenant name, runbook text)")
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
                  runbooks: [
                    { id: "columns", sql: "witnessed/columns.sql" },
                    { id: "index", after: ["columns"], transaction: false, sql: "witnessed/index.sql" },
                    { id: "backfill", after: ["columns"], sql: "witnessed/backfill.sql" },
                  ],
                }
                """)
            for (name, script) in [
                ("columns", "001_columns"), ("index", "002_index"), ("backfill", "003_backfill"),
            ] {
                try workplace.write(
                    "witnessed/\(name).sql",
                    "INSERT INTO public.witness VALUES (current_schema(), '\(name)');\n"
                        + (try workplace.read("sql/\(script).sql")))
            }

            let endings = try await applyAll(in: workplace)

            for ending in endings { #expect(ending.code == 0, "\(ending)") }
            let effects = try await database.lines(
                "SELECT runbook, count(*), count(DISTINCT tenant) FROM public.witness GROUP BY 1 ORDER BY 1")
            #expect(effects == ["backfill|60|60", "columns|60|60", "index|60|60"])
            let indexes = try await database.lines(
                """
                SELECT count(*), bool_and(i.indisvalid) FROM pg_index AS i
                  JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relname = 'findings_lifecycle_idx'
                """)
            #expect(indexes == ["60|t"])
            let open = try await database.lines("SELECT count(*) FROM muster.runs WHERE status <> 'completed'")
            #expect(open == ["0"])
            let locks = try await database.lines(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database "
                    + "WHERE datname = current_database())")
            #expect(locks == ["0"])
            // Nobody went without a goodbye.
            let abandoned = try await database.lines(
                "SELECT sessions_abandoned FROM pg_stat_database WHERE datname = current_database()")
            #expect(abandoned == ["0"])
        }
    }

    /// Guarantee: the same over SQLite files, whose lock is the ledger's lock file.
    @Test func sqliteDoesEverythingOnce() async throws {
        let workplace = try Workplace(sample: "findings-lifecycle/sqlite")
        try await Command("./setup", "40", folder: workplace.folder).output()
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1,
              ledger: { url: "sqlite:.muster/ledger.db" },
              tenants: { files: "tenants/*.db" },
              runbooks: [
                { id: "witness", sql: "witnessed/table.sql" },
                { id: "columns", after: ["witness"], sql: "witnessed/columns.sql" },
                { id: "vacuum", after: ["columns"], transaction: false, sql: "witnessed/vacuum.sql" },
                { id: "call", after: ["vacuum"], exec: ["./call"] },
              ],
            }
            """)
        try workplace.write("witnessed/table.sql", "CREATE TABLE witness (runbook TEXT);\n")
        try workplace.write(
            "witnessed/columns.sql",
            "INSERT INTO witness VALUES ('columns');\n" + (try workplace.read("sql/001_columns.sql")))
        try workplace.write("witnessed/vacuum.sql", "INSERT INTO witness VALUES ('vacuum');\nVACUUM;\n")
        try workplace.writeProgram("call", "#!/bin/sh\ncat >/dev/null\necho \"$MUSTER_TENANT\" >>calls\n")

        let endings = try await applyAll(in: workplace)

        for ending in endings { #expect(ending.code == 0, "\(ending)") }
        let effects = try await Command(
            "sh", "-c",
            "for file in tenants/*.db; do sqlite3 $file 'SELECT group_concat(runbook) FROM witness'; done | sort | uniq -c",
            folder: workplace.folder
        ).output()
        #expect(
            effects.split(separator: " ").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
                == ["40", "columns,vacuum"])
        let calls = try workplace.read("calls").split(separator: "\n")
        #expect(calls.count == 40)
        #expect(Set(calls).count == 40)
    }
}
