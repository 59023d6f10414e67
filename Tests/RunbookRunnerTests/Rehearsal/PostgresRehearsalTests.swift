import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// A rehearsal on a PostgreSQL server.
@Suite struct PostgresRehearsalTests {
    /// Guarantee: rows, failures by cause and what comes after them are what apply then meets; nothing remains, dump for
    /// dump, and no ledger appears.
    @Test(.needsPostgres) func predictsApplyAndLeavesNothing() async throws {
        try await Self.withFleet(tenants: 6) { database, manifest in
            // Where a note is there twice, the constraint fails.
            try await database.psql("INSERT INTO t2.notes VALUES (1); INSERT INTO t5.notes VALUES (2)")
            let manifest = manifest([
                Fleet.runbook(
                    "columns", ["ALTER TABLE notes ADD COLUMN state text", "UPDATE notes SET state = 'open'"]),
                Fleet.runbook("unique", ["SELECT 1", "ALTER TABLE notes ADD CONSTRAINT one_each UNIQUE (id)"]),
                Fleet.runbook("behind", ["INSERT INTO notes VALUES (9)"], after: ["unique"]),
                Fleet.runbook(
                    "aside", ["CREATE TABLE aside AS SELECT * FROM notes WHERE state = 'open'"], after: ["columns"]),
            ])
            let before = try await database.dump(ledger: true)

            let report = await Self.rehearse(manifest)

            try #require(report.error == nil, "\(report)")
            #expect(try await database.dump(ledger: true) == before)
            #expect(report.exitCode == 3)
            #expect(report.counts.wouldSucceed == 4)
            #expect(report.counts.wouldFail == 2)
            #expect(report.runbooks.map(\.counts.wouldSucceed) == [6, 4, 4, 6])
            #expect(report.runbooks.map(\.counts.wouldFail) == [0, 2, 0, 0])
            #expect(report.runbooks.map(\.counts.blocked) == [0, 0, 2, 0])
            #expect(report.causes.map(\.count) == [2])
            #expect(report.failures.map(\.tenant) == ["t2", "t5"])
            #expect(
                report.failures.allSatisfy { $0.sqlstate == "23505" && $0.line == 2 && $0.file == "sql/unique.sql" })
            #expect(report.next == nil)
            #expect(report.wal.map { $0.bytes > 0 && $0.isUpperBound == ($0.source == .position) } == true)

            let applied = await Fleet.apply(manifest)
            #expect(applied.exitCode == report.exitCode)
            #expect(applied.runbooks.map(\.rowsAffected) == report.runbooks.map(\.rowsAffected))
            #expect(
                applied.failures.map { "\($0.tenant ?? "") \($0.runbook ?? "") \($0.message)" }
                    == report.failures.map { "\($0.tenant ?? "") \($0.runbook ?? "") \($0.message)" })
        }
    }

    /// Guarantee: with a ledger too nothing is written; a rehearsal of what is done has nothing to do.
    @Test(.needsPostgres) func leavesTheLedgerAlone() async throws {
        try await Self.withFleet(tenants: 2) { database, manifest in
            let first = Fleet.runbook("first", ["INSERT INTO notes VALUES (7)"])
            #expect(await Fleet.apply(manifest([first])).exitCode == 0)
            let both = manifest([first, Fleet.runbook("second", ["DELETE FROM notes"], after: ["first"])])
            let before = try await database.dump(ledger: true)

            let report = await Self.rehearse(both)
            let nothing = await Self.rehearse(manifest([first]))

            #expect(try await database.dump(ledger: true) == before)
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(report.next != nil)
            #expect(report.runbooks.map(\.rowsAffected) == [0, 6])
            #expect(nothing.nothingToDo)
            #expect(nothing.exitCode == 0)
            #expect(nothing.tenants.isEmpty)
        }
    }

    /// Guarantee: the strongest lock on each relation that was there before is told, with the runbook that took it; what
    /// the rehearsal itself made is not.
    @Test(.needsPostgres) func tellsTheStrongestLocks() async throws {
        try await Self.withFleet(tenants: 2) { database, manifest in
            try await database.psql(
                "CREATE TABLE public.shared (id int); CREATE TABLE t1.old (); CREATE TABLE t2.old ()")
            let manifest = manifest([
                Fleet.runbook("read", ["SELECT count(*) FROM notes", "SELECT * FROM public.shared FOR UPDATE"]),
                Fleet.runbook("index", ["CREATE INDEX by_id ON notes (id)"]),
                Fleet.runbook("alter", ["ALTER TABLE notes ADD COLUMN state text", "SELECT pg_sleep(0.05)"]),
                Fleet.runbook("make", ["CREATE TABLE made (id int)", "INSERT INTO made VALUES (1)"]),
                Fleet.runbook("drop", ["DROP TABLE old"]),
            ])

            let report = await Self.rehearse(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            let locks = report.locks.map { "\($0.relation) \($0.mode.words) \($0.runbook) \($0.tenants)" }
            #expect(
                Set(locks) == [
                    "notes ACCESS EXCLUSIVE alter 2", "old ACCESS EXCLUSIVE drop 2", "public.shared ROW SHARE read 2",
                ])
            let alter = try #require(report.locks.first { $0.relation == "notes" })
            #expect(alter.blocksReads && alter.blocksWrites)
            // From its first sight, behind the ALTER, to the rollback: the sleep is within.
            #expect(alter.longestHeldMS >= 50)
            #expect(
                report.tenants.allSatisfy {
                    $0.heldMS >= alter.longestHeldMS || $0.locks.allSatisfy { $0.heldMS <= 10_000 }
                })
        }
    }

    /// Guarantee: a deferred constraint, which no rollback would fire, fails the runbook as it would in apply; and it is
    /// deferred again for the next one.
    @Test(.needsPostgres) func deferredConstraintsAreAsked() async throws {
        try await Self.withFleet(tenants: 1) { database, manifest in
            try await database.psql(
                "ALTER TABLE t1.notes ADD CONSTRAINT once UNIQUE (id) DEFERRABLE INITIALLY DEFERRED")
            let manifest = manifest([
                Fleet.runbook("twice", ["INSERT INTO notes VALUES (1)"]),
                Fleet.runbook("shuffle", ["INSERT INTO notes VALUES (2)", "DELETE FROM notes WHERE id = 2"]),
            ])

            let report = await Self.rehearse(manifest)

            #expect(report.runbooks.map(\.counts.wouldFail) == [1, 0])
            #expect(report.runbooks.map(\.counts.wouldSucceed) == [0, 1])
            #expect(report.failures.first?.sqlstate == "23505")
        }
    }

    /// Guarantee: a transaction is not open for longer than allowed, whichever statement it is in, and the tenant is
    /// reported as such and not as failing.
    @Test(.needsPostgres) func maxHoldEndsIt() async throws {
        try await Self.withFleet(tenants: 1) { database, manifest in
            let manifest = manifest([
                Fleet.runbook("quick", ["UPDATE notes SET id = id + 10"]),
                Fleet.runbook("slow", ["SELECT pg_sleep(60)"]),
                Fleet.runbook("late", ["SELECT 1"]),
            ])
            let before = try await database.dump(ledger: true)

            let report = await Self.rehearse(manifest) { $0.maxHold = .milliseconds(300) }

            #expect(try await database.dump(ledger: true) == before)
            let tenant = try #require(report.tenants.first)
            #expect(tenant.obstacle == .maxHold)
            #expect(tenant.steps.map(\.state) == [.wouldSucceed, .notRehearsed, .notRehearsed])
            #expect(tenant.heldMS >= 300)
            #expect(tenant.heldMS < 30_000)
            #expect(report.failures.isEmpty)
            #expect(report.exitCode == 1)
        }
    }

    /// Guarantee: a tenant whose lock somebody holds is busy, and no failure; the others are rehearsed.
    @Test(.needsPostgres) func busyTenantIsReported() async throws {
        try await Self.withFleet(tenants: 3) { database, manifest in
            let session = try PostgresServer.open(ConnectionURL(parsing: database.url))
            defer { session.close() }
            let key = LockKey.tenant("t2", workspace: "default")
            try session.run("SELECT pg_advisory_lock(\(key))")

            let report = await Self.rehearse(manifest([Fleet.runbook("one", ["SELECT 1"])])) {
                $0.lockWait = .milliseconds(100)
            }

            #expect(report.tenants.map(\.obstacle) == [nil, .busy, nil])
            #expect(report.counts.wouldSucceed == 2)
            #expect(report.exitCode == 75)
            #expect(report.retryable)
        }
    }

    /// Guarantee: what a rollback could not take back is not run, and what comes after it is not judged.
    @Test(.needsPostgres) func nonTransactionalWorkIsListed() async throws {
        try await Self.withFleet(tenants: 2) { database, manifest in
            let manifest = manifest([
                Fleet.runbook("index", ["REINDEX TABLE CONCURRENTLY notes"]) { $0.transaction = false },
                Fleet.runbook("uses", ["SELECT nothing FROM nowhere"], after: ["index"]),
                Fleet.runbook("free", ["UPDATE notes SET id = 5 WHERE id = 1"]),
            ])

            let report = await Self.rehearse(manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(report.runbooks.map(\.counts.notRehearsed) == [2, 2, 0])
            #expect(
                report.runbooks.map(\.reason) == [
                    "transaction: false: it cannot be rolled back", "after index, which is not rehearsed", nil,
                ])
            let indexes = try await database.lines("SELECT count(*) FROM pg_indexes WHERE schemaname ~ '^t[0-9]'")
            #expect(indexes == ["0"])
        }
    }

    /// Guarantee: settings, verify and the target are as in apply, and nothing that a runbook sets reaches the next.
    @Test(.needsPostgres) func settingsAreApplys() async throws {
        try await Self.withFleet(tenants: 2) { database, manifest in
            let checks = Fleet.script("sql/verify.sql", ["SELECT count(*) = 2 FROM notes"])
            var manifest = manifest([
                Fleet.runbook("set", ["SET search_path = public", "SET lock_timeout = 7", "CREATE TEMP TABLE x ()"]),
                Fleet.runbook(
                    "see",
                    [
                        "DO $$ BEGIN ASSERT current_schema() ~ '^t' AND current_setting('lock_timeout') = '3s'"
                            + " AND current_setting('app.tenant') = current_schema()"
                            + " AND to_regclass('pg_temp.x') IS NULL; END $$"
                    ]),
                Fleet.runbook("verified", ["DELETE FROM notes WHERE current_schema() = 't2'"]) { $0.verify = checks },
            ])
            manifest.tenants.settings = ["app.tenant": "{id}"]
            manifest.tenants.isolation = .script

            let report = await Self.rehearse(manifest)

            #expect(report.runbooks.map(\.counts.wouldSucceed) == [2, 2, 1], "\(report.failures)")
            #expect(report.failures.map(\.message) == ["verify answered false, not true"])
        }
    }

    /// Guarantee: a tenant whose schema is missing fails as in apply, and --sample asks the same few each time.
    @Test(.needsPostgres) func missingSchemaAndSample() async throws {
        try await Self.withFleet(tenants: 5) { _, manifest in
            var manifest = manifest([Fleet.runbook("one", ["SELECT 1"])])
            let once = await Self.rehearse(manifest) { $0.sample = 2 }
            let again = await Self.rehearse(manifest) { $0.sample = 2 }
            #expect(once.tenants.count == 2)
            #expect(once.tenants.map(\.tenant) == again.tenants.map(\.tenant))
            #expect(once.counts.notInSample == 3)

            manifest.tenants.source = .list([Tenant(id: "gone", schema: "gone")])
            let report = await Self.rehearse(manifest)
            #expect(report.exitCode == 1)
            #expect(report.failures.first?.message.hasPrefix("the target is not the tenant's schema: \"gone\"") == true)
        }
    }

    /// Guarantee: a script that ends the transaction is never called a success, and a person is asked.
    @Test(.needsPostgres, arguments: ["COMMIT", "COMMIT AND CHAIN", "ROLLBACK"])
    func endedTransactionIsSeen(_ statement: String) async throws {
        try await Self.withFleet(tenants: 1) { _, manifest in
            let report = await Self.rehearse(
                manifest([
                    Fleet.runbook("ends", ["INSERT INTO notes VALUES (3)", statement]), Fleet.runbook("next", []),
                ]))

            #expect(report.tenants.map(\.obstacle) == [.leftTransaction])
            #expect(report.tenants.first?.steps.map(\.state) == [.notRehearsed, .notRehearsed])
            #expect(report.exitCode == 5)
        }
    }

    /// Guarantee: asked to stop, what is under way is rolled back at once and the rest is not begun.
    @Test(.needsPostgres) func stopsAtOnce() async throws {
        try await Self.withFleet(tenants: 4) { database, manifest in
            let manifest = manifest([Fleet.runbook("slow", ["DELETE FROM notes", "SELECT pg_sleep(120)"])])
            let before = try await database.dump(ledger: true)
            let stop = StopSwitch()
            async let report = RunbookService(opener: RealOpener()).rehearse(
                manifest, RehearseRequest(concurrency: 2, maxHold: .seconds(100)), events: EventLog(), stop: stop)
            let isUnderWay = try await eventually(within: .seconds(60)) {
                try await database.lines(
                    """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND query LIKE '%pg_sleep(120)' AND state = 'active'
                    """) == ["2"]
            }
            #expect(isUnderWay)

            stop.request(2)

            let answer = await report
            #expect(answer.exitCode == 130)
            #expect(answer.tenants.map(\.obstacle) == [.stopped, .stopped, .stopped, .stopped])
            #expect(try await database.dump(ledger: true) == before)
        }
    }

    // MARK: Fleets

    static func rehearse(
        _ manifest: Manifest, change: (inout RehearseRequest) -> Void = { _ in }
    ) async -> RehearsalReport {
        var request = RehearseRequest()
        change(&request)
        return await RunbookService(opener: RealOpener()).rehearse(
            manifest, request, events: EventLog(), stop: StopSwitch())
    }

    /// Tenants t1, t2, … with a table of two notes each.
    static func withFleet(
        tenants: Int, _ body: (PostgresDatabase, ([Runbook]) -> Manifest) async throws -> Void
    ) async throws {
        try await PostgresDatabase.with { database in
            let schemas = (1...tenants).map {
                "CREATE SCHEMA t\($0); CREATE TABLE t\($0).notes (id int); INSERT INTO t\($0).notes VALUES (1), (2);"
            }
            try await database.psql(schemas.joined(separator: "\n"))
            try await body(database) { runbooks in
                Fleet.manifest(
                    ledger: database.url,
                    source: .query(
                        sql:
                            "select nspname as id, nspname as schema from pg_namespace where nspname ~ '^t[0-9]$' order by 1",
                        url: nil), target: TargetTemplate(schema: "{schema}"), runbooks: runbooks)
            }
        }
    }
}
