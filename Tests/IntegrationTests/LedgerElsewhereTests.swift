import Foundation
import TestSupport
import Testing

/// Tenants that do not live where the ledger is: receipts in the tenants prove what is done.
@Suite(.needsPostgres) struct LedgerElsewhereTests {
    enum Layout: String, CaseIterable, CustomTestStringConvertible {
        case schemasWithLedgerInAFile
        case schemasWithLedgerInAnotherDatabase
        case filesWithLedgerInPostgres

        var testDescription: String { rawValue }
    }

    private static let number = 24

    /// A workplace whose tenants are prepared, with one runbook that counts its effects, and a question for the counts.
    private func withLayout(
        _ layout: Layout, runbook: String, body: (Workplace, () async throws -> [String]) async throws -> Void
    ) async throws {
        try await PostgresDatabase.with { ledger in
            try await PostgresDatabase.with { database in
                let workplace = try Workplace(
                    environment: ["LEDGER": ledger.url, "DATABASE_URL": database.url])
                let tenants: String
                if layout == .filesWithLedgerInPostgres {
                    tenants = "files: \"tenants/*.db\""
                    try await Command(
                        "sh", "-ec",
                        """
                        mkdir tenants
                        for i in $(seq \(Self.number)); do sqlite3 tenants/t$i.db 'CREATE TABLE witness (tenant)'; done
                        """, folder: workplace.folder
                    ).output()
                    try workplace.write("script.sql", "INSERT INTO witness VALUES (muster_tenant());\n")
                } else {
                    tenants = """
                        query: "SELECT nspname AS id, nspname AS schema FROM pg_namespace WHERE nspname ~ '^t[0-9]'",
                        url: "${DATABASE_URL}", target: { url: "${DATABASE_URL}", schema: "{schema}" }
                        """
                    try await database.psql(
                        "CREATE TABLE public.witness (tenant name);\n"
                            + (1...Self.number).map { "CREATE SCHEMA t\($0);" }.joined(separator: "\n"))
                    try workplace.write("script.sql", "INSERT INTO public.witness VALUES (current_schema());\n")
                }
                let url = layout == .schemasWithLedgerInAFile ? "sqlite:.muster/ledger.db" : "${LEDGER}"
                try workplace.write(
                    "deploy.json5",
                    """
                    { manifest: 1, ledger: { url: "\(url)" }, tenants: { \(tenants) }, runbooks: [{ \(runbook) }] }
                    """)
                try await body(workplace) {
                    guard layout == .filesWithLedgerInPostgres else {
                        return try await database.lines("SELECT count(*), count(DISTINCT tenant) FROM public.witness")
                    }
                    let rows = try await Command(
                        "sh", "-c", "for f in tenants/*.db; do sqlite3 $f 'SELECT tenant FROM witness'; done",
                        folder: workplace.folder
                    ).output().split(separator: "\n")
                    return ["\(rows.count)|\(Set(rows).count)"]
                }
            }
        }
    }

    /// Guarantee: eight starts at once have each effect exactly once per tenant, wherever the ledger is.
    @Test(arguments: Layout.allCases, ["sql: \"script.sql\"", "sql: \"script.sql\", transaction: false"])
    func eightStartsDoEverythingOnce(_ layout: Layout, _ action: String) async throws {
        try await withLayout(layout, runbook: "id: \"one\", \(action)") { workplace, effects in
            let commands = try (0..<8).map { _ in try workplace.muster("apply", "-f", "deploy.json5").start() }
            for command in commands {
                let ending = try await command.ending(within: .seconds(120))
                #expect(ending.code == 0, "\(ending)")
            }
            #expect(try await effects() == ["\(Self.number)|\(Self.number)"])
            #expect(try await workplace.apply().nothingToDo)
        }
    }

    /// Guarantee: a ledger that was lost is made again from the receipts; nothing runs twice.
    @Test func lostLedgerIsMadeAgainFromReceipts() async throws {
        try await withLayout(.schemasWithLedgerInAFile, runbook: "id: \"one\", sql: \"script.sql\"") {
            workplace, effects in
            #expect(try await workplace.apply().exitCode == 0)
            try workplace.remove(".muster")

            let report = try await workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try await effects() == ["\(Self.number)|\(Self.number)"])
        }
    }

    /// Guarantee: after kill -9 the next apply finishes, and no effect is lost or doubled.
    @Test(arguments: Layout.allCases) func killedRunIsFinished(_ layout: Layout) async throws {
        try await withLayout(layout, runbook: "id: \"one\", sql: \"script.sql\"") { workplace, effects in
            let pause =
                layout == .filesWithLedgerInPostgres
                ? "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n"
                : "SELECT pg_sleep(0.1)"
            try workplace.write("script.sql", try workplace.read("script.sql") + "\(pause);\n")
            let command = try workplace.muster("apply", "-f", "deploy.json5", "--concurrency", "1").start()
            let isUnderWay = try await eventually { try await effects() != ["0|0"] }
            try #require(isUnderWay)
            try #require(command.isRunning)
            command.send(SIGKILL)
            _ = try await command.ending()

            let report = try await workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try await effects() == ["\(Self.number)|\(Self.number)"])
        }
    }

    /// Guarantee: in a database per tenant a script that names no schema runs under the database's own search_path, be
    /// it transactional or not.
    @Test func scriptsMeetTheDatabasesOwnPath() async throws {
        try await PostgresDatabase.with { ledger in
            try await PostgresDatabase.with { tenant in
                try await tenant.psql(
                    """
                    CREATE SCHEMA app; CREATE TABLE app.witness (note text);
                    ALTER DATABASE \(tenant.name) SET search_path = app;
                    """)
                let workplace = try Workplace(environment: ["LEDGER": ledger.url, "TENANT": tenant.url])
                try workplace.write("one.sql", "CREATE TABLE made (n int);\nINSERT INTO witness VALUES ('one');\n")
                try workplace.write(
                    "two.sql", "INSERT INTO witness SELECT 'two' FROM made;\nINSERT INTO made VALUES (1);\n")
                try workplace.write(
                    "deploy.json5",
                    """
                    { manifest: 1, ledger: { url: "${LEDGER}" },
                      tenants: { list: ["acme"], target: { url: "${TENANT}" } },
                      runbooks: [{ id: "one", sql: "one.sql" }, { id: "two", sql: "two.sql", transaction: false }] }
                    """)

                let report = try await workplace.apply()

                #expect(report.exitCode == 0, "\(report.failures)")
                #expect(try await tenant.lines("SELECT note FROM app.witness") == ["one"])
                #expect(try await tenant.lines("SELECT n FROM app.made") == ["1"])
            }
        }
    }
}
