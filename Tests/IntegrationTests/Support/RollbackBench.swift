import Foundation
import TestSupport
import Testing

/// Three tenants of a kind (two where each is a database), a manifest, and what is asked of them in tests of rollbacks.
struct RollbackBench {
    enum Layout: String, CaseIterable, CustomTestStringConvertible {
        case schemas
        case databases
        case rows
        case files

        var testDescription: String { rawValue }
    }

    let workplace: Workplace
    let ledger: PostgresDatabase?
    /// What the tenants hold, as text.
    let contents: () async throws -> String

    func muster(_ arguments: String...) async throws -> Ending {
        try await workplace.muster(arguments + ["-f", "deploy.json5", "--format", "json"]).run(limit: .seconds(60))
    }

    func rollback(_ arguments: String...) async throws -> PrintedReport {
        let ending = try await workplace.muster(
            ["rollback"] + arguments + ["-f", "deploy.json5", "--yes", "--format", "json"]
        ).run(limit: .seconds(60))
        let report = try PrintedReport(ending)
        #expect(Int(ending.code) == report.exitCode)
        return report
    }

    func states() async throws -> [String] {
        let query = "SELECT runbook || ' ' || state || ' ' || count(*) FROM {} GROUP BY runbook, state ORDER BY 1"
        guard let ledger else {
            return try await SQLiteFile(path: workplace.folder.appending(path: "ledger.db"))
                .lines(query.replacing("{}", with: "muster_known"))
        }
        return try await ledger.lines(query.replacing("{}", with: "muster.known"))
    }

    /// Three tenants of a kind, each with a table `notes` of two rows (one table for all of them where tenants are rows).
    static func with(
        _ layout: Layout, _ runbooks: String, scripts: [String: String], top: String = "",
        body: (RollbackBench) async throws -> Void
    ) async throws {
        if layout == .files {
            let workplace = try Workplace()
            try await Command(
                "sh", "-ec",
                """
                mkdir tenants
                for i in 1 2 3; do
                    sqlite3 tenants/t$i.db "CREATE TABLE notes (id integer, note text); INSERT INTO notes VALUES (1, 'a'), (2, 'b')"
                done
                """, folder: workplace.folder
            ).output()
            try write(
                workplace, "ledger: { url: \"sqlite:ledger.db\" }, tenants: { files: \"tenants/*.db\" }", runbooks,
                scripts, top)
            try await body(
                RollbackBench(workplace: workplace, ledger: nil) {
                    try await Command(
                        "sh", "-c", "for f in tenants/*.db; do sqlite3 $f '.dump notes%'; done",
                        folder: workplace.folder
                    ).output()
                })
            return
        }
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            let table = "CREATE TABLE %.notes (id int, note text); INSERT INTO %.notes VALUES (1, 'a'), (2, 'b');"
            switch layout {
            case .schemas:
                try await database.psql(
                    (1...3).map { "CREATE SCHEMA t\($0); " + table.replacing("%", with: "t\($0)") }.joined())
                try write(
                    workplace,
                    """
                    ledger: { url: "${DATABASE_URL}" },
                    tenants: { list: ["t1", "t2", "t3"], target: { url: "${DATABASE_URL}", schema: "{id}" } }
                    """, runbooks, scripts, top)
                try await body(RollbackBench(workplace: workplace, ledger: database) { try await database.dump() })
            case .rows:
                try await database.psql(
                    """
                    CREATE TABLE notes (tenant text, id int, note text);
                    INSERT INTO notes SELECT 't' || t, i, 'n' FROM generate_series(1, 3) t, generate_series(1, 2) i;
                    CREATE ROLE app_\(database.name);
                    GRANT ALL ON notes TO app_\(database.name);
                    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
                    CREATE POLICY own ON notes USING (tenant = current_setting('app.tenant', true));
                    """)
                try write(
                    workplace,
                    """
                    ledger: { url: "${DATABASE_URL}" },
                    tenants: { list: ["t1", "t2", "t3"], settings: { "app.tenant": "{id}" },
                        target: { url: "${DATABASE_URL}", role: "app_\(database.name)" } }
                    """, runbooks, scripts, top)
                try await body(
                    RollbackBench(workplace: workplace, ledger: database) {
                        try await database.psql("SELECT * FROM notes ORDER BY tenant, id")
                    })
                try await database.psql("DROP OWNED BY app_\(database.name); DROP ROLE app_\(database.name)")
            case .databases:
                try await PostgresDatabase.with { first in
                    try await PostgresDatabase.with { second in
                        for tenant in [first, second] { try await tenant.psql(table.replacing("%", with: "public")) }
                        try write(
                            workplace,
                            """
                            ledger: { url: "${DATABASE_URL}" },
                            tenants: { list: [{ id: "t1", url: "\(first.url)" }, { id: "t2", url: "\(second.url)" }],
                                target: { url: "{url}", schema: "public" } }
                            """, runbooks, scripts, top)
                        try await body(
                            RollbackBench(workplace: workplace, ledger: database) {
                                try await first.dump() + second.dump()
                            })
                    }
                }
            case .files: break
            }
        }
    }

    private static func write(
        _ workplace: Workplace, _ head: String, _ runbooks: String, _ scripts: [String: String], _ top: String
    ) throws {
        for (name, text) in scripts {
            if name.hasSuffix(".sql") {
                try workplace.write(name, text)
            } else {
                try workplace.writeProgram(name, text)
            }
        }
        try workplace.write("deploy.json5", "{ manifest: 1, \(head), runbooks: [\(runbooks)] \(top) }\n")
    }
}
