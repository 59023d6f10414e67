import Foundation
import TestSupport
import Testing

/// The findings-lifecycle deploy over a thousand schemas of one database.
@Suite(.needsPostgres) struct FindingsLifecyclePostgresTests {
    /// Guarantee: after apply every tenant has what psql gives by hand, in structure and data, and nothing else has.
    @Test func thousandSchemasEqualThoseChangedByHand() async throws {
        try await PostgresDatabase.with(template: try await Fleet.shared.template()) { byHand in
            try await PostgresDatabase.with(template: try await Fleet.shared.template()) { database in
                let workplace = try Workplace(
                    sample: "findings-lifecycle/postgres", environment: ["DATABASE_URL": database.url])
                try await byHand.psql(
                    """
                    SELECT format(E'SET search_path = %I;\\n\\\\i sql/001_columns.sql\\n\\\\i sql/002_index.sql\\n'
                                  '\\\\i sql/003_backfill.sql', schema_name)
                      FROM public.tenants ORDER BY slug \\g by-hand.sql
                    \\i by-hand.sql
                    """, folder: workplace.folder)

                let report = try await workplace.apply()

                #expect(report.exitCode == 0)
                #expect(report.outcome == "succeeded")
                #expect(report.failures.isEmpty)
                #expect(report.runbooks.map(\.id).contains("findings-lifecycle-backfill"))
                let backfill = try #require(report.runbooks.first { $0.id == "findings-lifecycle-backfill" })
                #expect(backfill.counts.succeeded == Fleet.size)
                #expect(backfill.rowsAffected == Fleet.size * 40)
                let expected = try await byHand.dump()
                let found = try await database.dump()
                #expect(expected.count > 5_000_000)
                expectSame(found, expected, "pg_dump of both databases, ledger apart")
            }
        }
    }

    /// Guarantee: a second apply finds nothing to do, and neither tenants nor ledger change.
    @Test func secondApplyWritesNothing() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 20, in: database)
            #expect(try await workplace.apply().exitCode == 0)
            let before = try await database.dump(ledger: true)

            let report = try await workplace.apply()

            #expect(report.exitCode == 0)
            #expect(report.nothingToDo)
            #expect(report.run == nil)
            try await expectSame(database.dump(ledger: true), before, "the database before and after")
        }
    }

    /// Guarantee: one broken tenant is named with file, line and SQLSTATE, every other one is done, and after the repair
    /// the next apply touches that one alone.
    @Test func oneBrokenTenantLeavesTheOthersDone() async throws {
        try await PostgresDatabase.with(template: try await Fleet.shared.template()) { database in
            let workplace = try Workplace(
                sample: "findings-lifecycle/postgres", environment: ["DATABASE_URL": database.url])
            // The second of the three columns is there already.
            try await database.psql("ALTER TABLE tenant_0500.findings ADD COLUMN first_seen_at date")

            let report = try await workplace.apply()

            #expect(report.exitCode == 3)
            #expect(!report.ok)
            #expect(report.outcome == "partially_succeeded")
            #expect(report.counts.succeeded == Fleet.size - 1)
            let failure = try #require(report.failures.first { $0.state == "failed" })
            #expect(report.failures.count { $0.state == "failed" } == 1)
            #expect(failure.tenant == "tenant-0500")
            #expect(failure.runbook == "findings-lifecycle-columns")
            #expect(failure.sqlstate == "42701")
            #expect(failure.file?.hasSuffix("sql/001_columns.sql") == true)
            // 42701 comes without a position, so the line is that of the statement.
            #expect(failure.line == 3)
            #expect(failure.clean == true)
            #expect(failure.message.contains("first_seen_at"))
            #expect(report.causes.first?.sampleTenants == ["tenant-0500"])
            let done = try await database.lines(
                """
                SELECT count(*) FROM information_schema.columns
                 WHERE table_name = 'findings' AND column_name = 'lifecycle_state'
                """)
            #expect(done == ["\(Fleet.size - 1)"])
            let witness = try await untouched(in: database)

            try await database.psql("ALTER TABLE tenant_0500.findings DROP COLUMN first_seen_at")
            let second = try await workplace.apply()

            #expect(second.exitCode == 0)
            let columns = try #require(second.runbooks.first { $0.id == "findings-lifecycle-columns" })
            #expect(columns.counts.succeeded == 1)
            #expect(try await untouched(in: database) == witness, "no other tenant's rows were written again")
            #expect(
                try await database.lines("SELECT count(*) FROM tenant_0500.findings WHERE lifecycle_state IS NULL")
                    == ["0"])
        }
    }

    /// Row versions of every tenant but the broken one: a rewritten row has another transaction number.
    private func untouched(in database: PostgresDatabase) async throws -> [String] {
        try await database.lines(
            """
            SELECT format('SELECT %L, md5(string_agg(xmin::text || ctid::text, '','' ORDER BY id)) FROM %I.findings',
                          slug, schema_name)
              FROM public.tenants WHERE slug <> 'tenant-0500' ORDER BY slug \\gexec
            """)
    }

    /// Guarantee: `--tenant` keeps the work to the tenants named, and `check` fails closed until all are done.
    @Test func selectionKeepsToTheTenantsNamed() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 5, in: database)

            let report = try await workplace.apply("--tenant", "tenant-0002", "--runbook", "findings-lifecycle-columns")

            #expect(report.exitCode == 0)
            let changed = try await database.lines(
                "SELECT table_schema FROM information_schema.columns WHERE column_name = 'lifecycle_state'")
            #expect(changed == ["tenant_0002"])
            let check = try await workplace.muster(
                "check", "findings-lifecycle-columns", "--all-tenants", "-f", "deploy.json5"
            ).run()
            #expect(check.code == 3, "\(check)")
        }
    }

    /// Guarantee: the views that scripts read say the same as the report.
    @Test func viewsAnswerWhatScriptsAsk() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 5, in: database)
            try await database.psql("ALTER TABLE tenant_0003.findings ADD COLUMN first_seen_at date")
            let report = try await workplace.apply()
            let run = try #require(report.run)

            let completed = try await database.lines(
                "SELECT DISTINCT tenant FROM muster.completed WHERE runbook = 'findings-lifecycle-columns' ORDER BY 1")
            #expect(completed == ["tenant-0001", "tenant-0002", "tenant-0004", "tenant-0005"])
            #expect(
                try await database.lines("SELECT DISTINCT run_id FROM muster.completed") == [run.id])
            #expect(
                try await database.lines("SELECT tenant, sqlstate FROM muster.failures WHERE state = 'failed'")
                    == ["tenant-0003|42701"])
            let pending = try await database.lines("SELECT DISTINCT tenant FROM muster.pending_by_tenant")
            #expect(pending.contains("tenant-0003"))
            #expect(!pending.contains("tenant-0001"))
        }
    }
}

/// A workplace with the PostgreSQL sample and this many tenants in `database`.
func fleet(of number: Int, in database: PostgresDatabase) async throws -> Workplace {
    let workplace = try Workplace(sample: "findings-lifecycle/postgres", environment: ["DATABASE_URL": database.url])
    try await database.psql("\\i setup.sql\nCALL public.create_tenants(\(number));", folder: workplace.folder)
    return workplace
}
