import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// Indexes that apply builds CONCURRENTLY, rehearsed on a PostgreSQL server.
@Suite struct PlainBuildRehearsalTests {
    private static func direct(
        _ id: String, _ statements: [String], after: [String] = [], change: (inout Runbook) -> Void = { _ in }
    ) -> Runbook {
        Fleet.runbook(id, statements, after: after) {
            $0.transaction = false
            change(&$0)
        }
    }

    private static func told(_ failures: [Failure]) -> [String] {
        failures.filter { $0.state == "failed" }
            .map { "\($0.tenant ?? "") \($0.runbook ?? "") \($0.sqlstate ?? "") \($0.message)" }.sorted()
    }

    /// Guarantee: a duplicate under UNIQUE is foretold as apply then meets it, what comes after the index is rehearsed,
    /// nothing remains, and the locks that the concurrent build does not take are not told.
    @Test(.needsPostgres) func uniqueBuildPredictsApply() async throws {
        try await PostgresRehearsalTests.withFleet(tenants: 4) { database, manifest in
            try await database.psql("INSERT INTO t2.notes VALUES (1)")
            let manifest = manifest([
                Fleet.runbook("columns", ["UPDATE notes SET id = id + 10"]),
                Self.direct(
                    "index", ["CREATE UNIQUE INDEX CONCURRENTLY one_each ON notes (id)"], after: ["columns"]),
                Fleet.runbook(
                    "uses", ["INSERT INTO notes VALUES (11) ON CONFLICT (id) DO UPDATE SET id = 20"], after: ["index"]),
            ])
            let before = try await database.dump(ledger: true)

            let report = await PostgresRehearsalTests.rehearse(manifest)

            #expect(try await database.dump(ledger: true) == before)
            #expect(report.runbooks.map(\.counts.wouldSucceed) == [4, 3, 3], "\(report.failures)")
            #expect(report.runbooks.map(\.counts.blocked) == [0, 0, 1])
            #expect(report.runbooks.map(\.asPlainBuild) == [false, true, false])
            #expect(report.failures.map(\.sqlstate) == ["23505"])
            #expect(report.locks.allSatisfy { $0.mode == .rowExclusive }, "\(report.locks)")
            #expect(report.estimate?.withoutFigure == [])
            #expect(report.notices.allSatisfy { !$0.contains("commit") }, "\(report.notices)")

            let applied = await Fleet.apply(manifest)
            #expect(Self.told(applied.failures) == Self.told(report.failures))
            #expect(applied.exitCode == report.exitCode)
            #expect(applied.runbooks.map(\.rowsAffected) == report.runbooks.map(\.rowsAffected))
        }
    }

    /// Guarantee: where a plain build would go well and the concurrent one does not, the failure is apply's: a missing column,
    /// a partitioned table, and an invalid index that IF NOT EXISTS takes for a good one.
    @Test(.needsPostgres) func whatApplyRefusesIsForetold() async throws {
        try await PostgresRehearsalTests.withFleet(tenants: 3) { database, manifest in
            try await database.psql(
                """
                DROP TABLE t1.notes; CREATE TABLE t1.notes (id int) PARTITION BY RANGE (id);
                ALTER TABLE t2.notes RENAME COLUMN id TO was_id; CREATE UNIQUE INDEX by_id ON t3.notes (id);
                UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't3.by_id'::regclass;
                """)
            let manifest = manifest([
                Self.direct("index", ["CREATE INDEX CONCURRENTLY IF NOT EXISTS by_id ON notes (id)"])
            ])

            let report = await PostgresRehearsalTests.rehearse(manifest)
            let applied = await Fleet.apply(manifest)

            #expect(report.failures.map(\.sqlstate) == ["0A000", "42703", nil])
            #expect(Self.told(applied.failures) == Self.told(report.failures))
        }
    }

    /// Guarantee: a script that takes away first what an interrupted build left is rehearsed so, and the leftover stays.
    @Test(.needsPostgres) func leftoverIsTakenAwayFirst() async throws {
        try await PostgresRehearsalTests.withFleet(tenants: 2) { database, manifest in
            try await database.psql(
                """
                CREATE INDEX by_id ON t1.notes (id);
                UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't1.by_id'::regclass
                """)
            let manifest = manifest([
                Self.direct(
                    "index",
                    ["DROP INDEX CONCURRENTLY IF EXISTS by_id", "CREATE INDEX CONCURRENTLY by_id ON notes (id)"])
            ])
            let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"

            let report = await PostgresRehearsalTests.rehearse(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(report.locks.isEmpty, "\(report.locks)")
            #expect(try await database.lines(invalid) == ["1"])
            #expect(await Fleet.apply(manifest).exitCode == 0)
            #expect(try await database.lines(invalid) == ["0"])
        }
    }

    /// Guarantee: an attempt takes as many round trips as the estimate counts.
    @Test(.needsPostgres, arguments: [false, true])
    func roundTripsAreCounted(_ repeatable: Bool) async throws {
        try await PostgresRehearsalTests.withFleet(tenants: 1) { _, manifest in
            let opener = CountingOpener()
            let statements = ["a", "b"].map { "CREATE INDEX CONCURRENTLY \($0) ON notes (id)" }
            let manifest = manifest([Self.direct("index", statements) { $0.repeatable = repeatable }])

            #expect(await Fleet.apply(manifest, opener: opener).exitCode == 0)

            let texts = opener.log.texts
            // From the first question for a lock to the reset behind the last one given back.
            let start = try #require(
                texts.firstIndex { $0.hasPrefix("SELECT pg_catalog.pg_try_advisory_lock_shared(") })
            let unlock = try #require(
                texts.lastIndex { $0.hasPrefix("SELECT pg_catalog.pg_advisory_unlock_shared(") })
            let attempt = texts[start...(unlock + 1)]
            #expect(attempt.last?.contains("RESET ALL") == true)
            let others = attempt.filter { !statements.contains($0) }
            #expect(others.count == ServerCost.roundTrips(statements.count, asksBefore: repeatable), "\(others)")
        }
    }

    /// Guarantee: a server that does not let a commit be measured is named, and rehearsed without it.
    @Test(.needsPostgres) func unmeasuredCommitIsNamed() async throws {
        try await PostgresRehearsalTests.withFleet(tenants: 1) { database, given in
            try await database.psql(
                """
                CREATE ROLE \(database.name)_plain LOGIN; GRANT ALL ON SCHEMA t1 TO \(database.name)_plain;
                REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text) FROM PUBLIC
                """)
            var manifest = given([Fleet.runbook("one", ["CREATE TABLE made ()"])])
            manifest.ledger.url = Redacted(
                database.url.replacing("postgres@", with: "\(database.name)_plain@").replacing(
                    "user=postgres", with: "user=\(database.name)_plain"))

            let report = await PostgresRehearsalTests.rehearse(manifest)

            #expect(report.exitCode == 0, "\(report)")
            #expect(
                report.notices.contains { $0.contains("What a commit costs on") && $0.contains("permission denied") })
            try await database.psql("DROP OWNED BY \(database.name)_plain; DROP ROLE \(database.name)_plain")
        }
    }
}
