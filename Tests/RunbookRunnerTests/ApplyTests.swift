import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import SQLiteAccess
import TestSupport
import Testing

@Suite struct ApplyTests {
    /// The second apply finds nothing to do and writes nothing.
    @Test func sqliteFilesAreAppliedOnceAndThenLeftAlone() async throws {
        try await TemporaryFolder.with { folder in
            for number in 1...12 {
                let url = ConnectionURL(
                    dialect: .sqlite, revealed: "sqlite:\(folder.path("t\(number).db"))",
                    path: folder.path("t\(number).db"))
                let session = try SQLiteSession.open(url, SessionOptions(applicationName: "test", createsFile: true))
                try session.run(
                    "CREATE TABLE findings (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO findings VALUES (1, 'a'), (2, 'b')"
                )
                session.close()
            }
            let manifest = Fleet.manifest(
                ledger: "sqlite:\(folder.path("ledger.db"))", source: .files(pattern: folder.path("t*.db")),
                runbooks: [
                    Fleet.runbook("columns", ["ALTER TABLE findings ADD COLUMN state TEXT"]),
                    Fleet.runbook("fill", ["UPDATE findings SET state = 'open'"], after: ["columns"]),
                ])
            let first = await Fleet.apply(manifest)
            #expect(first.exitCode == 0, "\(first)")
            #expect(first.counts.succeeded == 12)
            #expect(first.runbooks.map(\.rowsAffected) == [0, 24])
            let second = await Fleet.apply(manifest)
            #expect(second.exitCode == 0)
            #expect(second.nothingToDo)
            #expect(second.run == nil)
        }
    }

    /// The change and its receipt are one transaction in the ledger's own database.
    @Test(.needsPostgres) func schemasInTheLedgersDatabaseAreApplied() async throws {
        try await PostgresServer.withDatabase { url in
            let session = try PostgresServer.open(url)
            for number in 1...12 {
                try session.run(
                    "CREATE SCHEMA t\(number); CREATE TABLE t\(number).findings (id int primary key, body text); INSERT INTO t\(number).findings VALUES (1, 'a'), (2, 'b')"
                )
            }
            let manifest = Fleet.manifest(
                ledger: url.revealed,
                source: .query(
                    sql:
                        "select nspname as id, nspname as schema from pg_namespace where nspname like 't_' or nspname like 't__'",
                    url: nil), target: TargetTemplate(schema: "{schema}"),
                runbooks: [
                    Fleet.runbook("columns", ["ALTER TABLE findings ADD COLUMN state text"]),
                    Fleet.runbook(
                        "index", ["CREATE INDEX CONCURRENTLY findings_state ON findings (state)"], after: ["columns"]
                    ) {
                        $0.transaction = false
                    },
                    Fleet.runbook("fill", ["UPDATE findings SET state = 'open'"], after: ["columns"]),
                ])
            let first = await Fleet.apply(manifest)
            #expect(first.exitCode == 0, "\(first)")
            #expect(first.counts.succeeded == 12)
            #expect(first.runbooks.map(\.rowsAffected) == [0, 0, 24])
            let second = await Fleet.apply(manifest)
            #expect(second.exitCode == 0)
            #expect(second.nothingToDo, "\(second)")
        }
    }
}
