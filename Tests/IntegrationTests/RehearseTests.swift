import Foundation
import TestSupport
import Testing

/// `rehearse` before the findings-lifecycle deploy.
@Suite struct RehearseTests {
    private struct Rehearsal: Decodable {
        var schema: String
        var exitCode: Int
        var next: String?
        var runbooks: [Runbook]
        var failures: [Failure]
        var estimate: Estimate?

        struct Estimate: Decodable {
            var durationMs: Int
            var withoutFigure: [String]
        }

        struct Runbook: Decodable {
            var id: String
            var rowsAffected: Int
            var counts: Counts
            var asPlainBuild: Bool
        }

        struct Counts: Decodable {
            var wouldSucceed: Int
            var wouldFail: Int
            var notRehearsed: Int
        }

        struct Failure: Decodable {
            var tenant: String?
            var message: String
        }

        init(_ ending: Ending) throws {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Rehearsal.self, from: Data(ending.output.utf8))
        }
    }

    private struct Took: Decodable {
        var durationMs: Int

        init(_ ending: Ending) throws {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Took.self, from: Data(ending.output.utf8))
        }
    }

    /// Guarantee: on 200 schemas, three of which somebody has changed by hand, it predicts apply's failures, rows and exit
    /// status, and the dump is the same before and after.
    @Test(.needsPostgres) func predictsTheDeploy() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 200, in: database)
            let schemas = try await database.lines(
                "SELECT schema_name FROM public.tenants ORDER BY slug LIMIT 2 OFFSET 6")
            for schema in schemas {
                try await database.psql("ALTER TABLE \(schema).findings ADD COLUMN lifecycle_state text")
            }
            // A third fails later, in the backfill.
            try await database.psql("ALTER TABLE tenant_0090.findings RENAME COLUMN status TO was_status")
            let before = try await database.dump(ledger: true)

            let ending = try await workplace.muster("rehearse", "-f", "deploy.json5", "--format", "json").run()

            try await expectSame(database.dump(ledger: true), before, "the database before and after")
            let rehearsal = try Rehearsal(ending)
            #expect(rehearsal.schema == "muster.rehearsal/1")
            let applied = try await workplace.apply()
            #expect(applied.exitCode == rehearsal.exitCode)
            #expect(Int(ending.code) == rehearsal.exitCode)
            #expect(rehearsal.failures.compactMap(\.tenant).count == 3)
            #expect(
                rehearsal.failures.map { "\($0.tenant ?? "") \($0.message)" }.sorted()
                    == applied.failures.map { "\($0.tenant ?? "") \($0.message)" }.sorted())
            for runbook in rehearsal.runbooks where runbook.counts.wouldSucceed > 0 {
                let own = try #require(applied.runbooks.first { $0.id == runbook.id })
                #expect(own.rowsAffected == runbook.rowsAffected)
                #expect(own.counts.succeeded == runbook.counts.wouldSucceed)
            }
            let index = try #require(rehearsal.runbooks.first { $0.id == "findings-lifecycle-index" })
            #expect(index.asPlainBuild)
            #expect(index.counts.wouldSucceed == 198)
            let estimate = try #require(rehearsal.estimate)
            #expect(estimate.durationMs > 0)
            #expect(estimate.withoutFigure == ["announce"])
        }
    }

    /// Guarantee: the estimate is within a factor of two of what apply takes, over many tenants with different work: scripts
    /// of one and of several statements, waves, and work that cannot be rehearsed and whose time the ledger knows from the
    /// tenants that have it. Work that sleeps takes as long on a busy machine as on any other.
    @Test(.needsPostgres) func estimateIsWithinAFactorOfTwo() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 60, in: database)
            try workplace.write("sql/slow.sql", "SELECT pg_sleep(0.04);\nSELECT pg_sleep(0.04);\n")
            try workplace.write("sql/apart.sql", "SELECT pg_sleep(0.15);\n")
            try workplace.write(
                "timed.json5",
                """
                {
                  manifest: 1, ledger: { url: "${DATABASE_URL}" },
                  tenants: {
                    query: "SELECT slug AS id, schema_name AS schema, plan FROM public.tenants ORDER BY slug",
                    target: { schema: "{schema}" },
                  },
                  concurrency: { tenants: 4 },
                  rollout: { waves: [{ name: "first", match: { plan: "internal" }, concurrency: 2 }, { name: "rest" }] },
                  runbooks: [
                    { id: "columns", sql: "sql/001_columns.sql" },
                    { id: "slow", sql: "sql/slow.sql", after: ["columns"] },
                    { id: "apart", sql: "sql/apart.sql", transaction: false, repeatable: true },
                  ],
                }
                """)
            let names = (1...4).flatMap { ["--tenant", "tenant-000\($0)"] }
            let first = try PrintedReport(
                try await workplace.muster(["apply", "-f", "timed.json5", "--format", "json"] + names).run())
            #expect(first.exitCode == 0, "\(first.failures)")

            let rehearsal = try Rehearsal(
                try await workplace.muster("rehearse", "-f", "timed.json5", "--format", "json").run())
            let applied = try await workplace.muster("apply", "-f", "timed.json5", "--format", "json").run()

            #expect(try PrintedReport(applied).exitCode == 0, "\(applied)")
            let took = try Took(applied)
            let estimate = try #require(rehearsal.estimate)
            #expect(estimate.withoutFigure.isEmpty)
            #expect(
                estimate.durationMs * 2 >= took.durationMs && estimate.durationMs <= took.durationMs * 2,
                "estimated \(estimate.durationMs) ms, took \(took.durationMs) ms")
        }
    }

    /// Guarantee: no byte of a folder of SQLite files changes and no file appears, before there is a ledger and after.
    @Test func sqliteFolderStaysAsItIs() async throws {
        let workplace = try Workplace(sample: "findings-lifecycle/sqlite")
        try await Command("./setup", "5", folder: workplace.folder).output()
        let before = try await workplace.contents()

        let first = try await workplace.muster("rehearse", "-f", "deploy.json5").run()

        #expect(first.code == 0, "\(first)")
        #expect(first.output.contains("5 tenants were rehearsed: all of it would succeed"), "\(first)")
        try await expectSame(workplace.contents(), before, "every file before and after")
        #expect(try await workplace.apply("--phase", "pre-deploy").exitCode == 0)
        let middle = try await workplace.contents()
        let second = try await workplace.muster("rehearse", "-f", "deploy.json5", "--sample", "3").run()
        #expect(second.code == 0, "\(second)")
        #expect(second.output.contains("3 tenants were rehearsed"), "\(second)")
        try await expectSame(workplace.contents(), middle, "every file before and after")
    }

    /// Guarantee: the time of a dry run is no figure for the hook's own.
    @Test func dryRunIsNoFigure() async throws {
        let workplace = try Workplace()
        try workplace.writeProgram("hook", "#!/bin/sh\nsleep 0.3\n")
        try workplace.write("t.sql", "CREATE TABLE t (id int);\n")
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1, ledger: { url: "sqlite:ledger.db" },
              tenants: { list: [{ id: "acme" }], target: { url: "sqlite:acme.db" } },
              runbooks: [
                { id: "table", phase: "pre-deploy", sql: "t.sql" },
                { id: "hook", phase: "pre-deploy", exec: ["./hook"], dry_run: true, after: ["table"] },
              ],
            }
            """)
        try await Command("sqlite3", "acme.db", "VACUUM", folder: workplace.folder).output()

        let ending = try await workplace.muster("rehearse", "-f", "deploy.json5", "--format", "json").run()

        let rehearsal = try Rehearsal(ending)
        #expect(rehearsal.runbooks.allSatisfy { $0.counts.wouldSucceed == 1 }, "\(ending)")
        #expect(rehearsal.estimate?.withoutFigure == ["hook"], "\(ending)")
    }
}
