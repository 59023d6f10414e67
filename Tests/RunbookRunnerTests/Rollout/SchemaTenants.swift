import DatabaseAccess
import RunbookModel
import TestSupport

/// Tenants in schemas of one database, with a table that says which of them were touched.
enum SchemaTenants {
    /// Makes `t0001` and so on, and a manifest over them.
    static func make(
        _ count: Int, at url: ConnectionURL, runbooks: [Runbook], change: (inout Manifest) -> Void
    ) throws -> Manifest {
        let session = try PostgresServer.open(url)
        defer { session.close() }
        try session.run("CREATE TABLE public.touched (tenant text, runbook text)")
        for start in stride(from: 1, through: count, by: 500) {
            let schemas = (start...min(count, start + 499)).map { "CREATE SCHEMA \(name($0))" }
            try session.run(schemas.joined(separator: ";"))
        }
        return Fleet.manifest(
            ledger: url.revealed, source: .list((1...count).map { Tenant(id: name($0), schema: name($0)) }),
            target: TargetTemplate(schema: "{schema}"), runbooks: runbooks, change: change)
    }

    static func name(_ number: Int) -> String {
        let digits = String(number)
        return "t" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// A script that leaves a trace, and fails in the tenants that `condition` holds for.
    static func script(failingWhere condition: String, seconds: Double = 0) -> [String] {
        [
            "INSERT INTO public.touched VALUES (current_schema(), 'r')", "SELECT pg_sleep(\(seconds))",
            "SELECT 1 / (CASE WHEN \(condition) THEN 0 ELSE 1 END)",
        ]
    }

    static func numbers(_ question: String, at url: ConnectionURL) throws -> [Int] {
        let session = try PostgresServer.open(url)
        defer { session.close() }
        return try session.rows(question).map { $0[0].integer ?? -1 }
    }
}
