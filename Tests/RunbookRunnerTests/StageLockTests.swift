import DatabaseAccess
import Foundation
import RunbookModel
import TestSupport
import Testing

/// Locks and transactions of the runbooks of a stage, which keep their tenant's lock from one to the next.
@Suite(.needsPostgres) struct StageLockTests {
    /// Guarantee: what a tenant needs of a later stage is one round trip, too, although the run has left records by then.
    @Test(arguments: [false, true]) func aLaterStageIsOneMessage(isFused: Bool) async throws {
        try await PostgresServer.withDatabase { url in
            let opener = CountingOpener()
            let manifest = try StageTests.manifest(
                url, tenants: 3, isFused: isFused,
                [
                    StageTests.step("first", []), StageTests.step("second", []),
                    StageTests.step("third", []) { $0.barrier = true },
                    StageTests.step("fourth", []),
                ])

            let report = await Fleet.apply(manifest, opener: opener)

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(opener.log.claims.count == 6)
            #expect(opener.log.claims.allSatisfy { $0.contains("claim_kept") })
            let session = try PostgresServer.open(url)
            #expect(try StageTests.lines(session, "SELECT count(*) FROM trace") == ["12"])
        }
    }

    /// Guarantee: no lock of a script, and none of Muster's, is left when a tenant's message has ended, however it ended.
    @Test(arguments: [false, true], ["SELECT 1", "SELECT 1/0"])
    func noLockReachesTheNextTenant(isFused: Bool, _ last: String) async throws {
        try await PostgresServer.withDatabase { url in
            let held = "FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            var manifest = try StageTests.manifest(
                url, tenants: 4, isFused: isFused,
                [
                    StageTests.step("looks", ["DO $$ BEGIN ASSERT (SELECT count(*) = 2 \(held)); END $$"]),
                    StageTests.step("locks", ["SELECT pg_advisory_lock(4712)"]),
                    StageTests.step("last", [last]),
                ])
            manifest.concurrency.tenants = 1

            let report = await Fleet.apply(manifest)

            let failed = last == "SELECT 1" ? 0 : 4
            #expect(report.failures.map(\.runbook) == Array(repeating: "last", count: failed), "\(report.failures)")
            let session = try PostgresServer.open(url)
            let traces = isFused && failed > 0 ? "0" : "\(12 - failed)"
            #expect(try StageTests.lines(session, "SELECT count(*) FROM trace") == [traces])
        }
    }

    /// Guarantee: a script that gives back every lock of its session costs no runbook its effect, nor doubles one.
    @Test(arguments: [false, true]) func aScriptMayUnlockAll(isFused: Bool) async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try StageTests.manifest(
                url, tenants: 3, isFused: isFused,
                [
                    StageTests.step("first", []), StageTests.step("second", ["SELECT pg_advisory_unlock_all()"]),
                    StageTests.step("third", []), StageTests.step("fourth", []),
                ])

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            let session = try PostgresServer.open(url)
            #expect(
                try StageTests.lines(session, "SELECT count(*), count(DISTINCT (tenant, runbook)) FROM trace") == [
                    "12 12"
                ])
        }
    }

    /// Guarantee 2: a record that appears while the work is under way is judged by the full claim and its record.
    @Test(arguments: [false, true], ["failed", "succeeded"])
    func whatComesOnRecordIsJudged(isFused: Bool, _ state: String) async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try StageTests.manifest(
                url, tenants: 2, isFused: isFused,
                [
                    StageTests.step("first", []),
                    StageTests.step(
                        "second",
                        [
                            """
                            INSERT INTO muster.executions (workspace, tenant, runbook, key, state, attempt, checksum)
                            VALUES ('default', current_schema(), 'second', '1', '\(state)', 1, 'sha256:other')
                            """
                        ]),
                ])

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            let session = try PostgresServer.open(url)
            #expect(
                try StageTests.lines(session, "SELECT count(*), count(DISTINCT (tenant, runbook)) FROM trace") == [
                    "4 4"
                ])
            #expect(
                try StageTests.lines(session, "SELECT runbook, max(attempt) FROM muster.attempts GROUP BY 1 ORDER BY 1")
                    == ["first 1", "second 2"])
        }
    }

    /// Guarantee: scripts run in the transactions that are promised, whatever the database's own are.
    @Test(
        arguments: ["default_transaction_isolation = 'serializable'", "default_transaction_read_only = on"],
        [false, true])
    func theDatabasesOwnTransactionsAreNotTaken(_ setting: String, isFused: Bool) async throws {
        try await PostgresServer.withDatabase { url in
            let assertion = "DO $$ BEGIN ASSERT current_setting('transaction_isolation') = 'read committed'; END $$"
            let manifest = try StageTests.manifest(
                url, tenants: 3, isFused: isFused,
                [StageTests.step("first", [assertion]), StageTests.step("second", [assertion])])
            let session = try PostgresServer.open(url)
            let database = try StageTests.lines(session, "SELECT current_database()")[0]
            try session.run("ALTER DATABASE \(database) SET \(setting)")

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(
                try StageTests.lines(session, "SELECT count(*), count(DISTINCT xid) FROM trace") == [
                    isFused ? "6 3" : "6 6"
                ])
        }
    }
}
