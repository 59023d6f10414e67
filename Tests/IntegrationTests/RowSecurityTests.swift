import Foundation
import TestSupport
import Testing

/// Tenants that share tables.
@Suite(.needsPostgres) struct RowSecurityTests {
    private func database(_ body: (PostgresDatabase, Workplace) async throws -> Void) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(sample: "row-per-tenant", environment: ["DATABASE_URL": database.url])
            try await Command("./setup", folder: workplace.folder, environment: workplace.environment).output()
            try await body(database, workplace)
        }
    }

    /// Guarantee: a role that row security does not bind is refused before any row changes: the script would run on every
    /// tenant's rows.
    @Test func roleThatBypassesIsRefused() async throws {
        try await database { database, workplace in
            let manifest = try workplace.read("deploy.json5")
            try workplace.write(
                "deploy.json5", manifest.replacing(#"target: { role: "sample_migrator" },"#, with: ""))

            let report = try await workplace.apply()

            #expect(report.exitCode == 4)
            #expect(report.error?.code == "isolation")
            let plan = try await workplace.muster("plan", "-f", "deploy.json5").run()
            #expect(plan.code == 4)
            #expect(
                try await database.lines(
                    "SELECT 1 FROM information_schema.columns WHERE table_name = 'invoices' AND column_name = 'currency'"
                )
                    == [])
        }
    }

    /// Guarantee: the same is let through when the manifest says that the scripts filter themselves.
    @Test func scriptsMayFilterThemselves() async throws {
        try await database { database, workplace in
            let manifest = try workplace.read("deploy.json5")
            try workplace.write(
                "deploy.json5",
                manifest.replacing(#"target: { role: "sample_migrator" },"#, with: "")
                    .replacing("row_security\"", with: "script\""))
            try workplace.write(
                "sql/002_backfill.sql",
                """
                UPDATE invoices AS i SET currency = c.currency FROM customers AS c
                 WHERE c.slug = i.customer AND c.slug = current_setting('app.tenant_id');

                """)
            try workplace.write(
                "sql/002_verify.sql",
                "SELECT bool_and(currency IS NOT NULL) FROM invoices WHERE customer = current_setting('app.tenant_id')\n"
            )

            let report = try await workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            let backfill = try #require(report.runbooks.first { $0.id == "invoice-currency-backfill" })
            #expect(backfill.rowsAffected == 60)
            #expect(
                try await database.psql((try workplace.read("proof.sql"))) == (try workplace.read("proof.expected")))
        }
    }
}
