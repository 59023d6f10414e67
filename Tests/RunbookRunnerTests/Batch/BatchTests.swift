import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// Backfills in batches, in every place where tenants live.
@Suite struct BatchTests {
    /// Guarantee: each row is worked on exactly once, the rows are counted, and a second apply has nothing to do.
    @Test(arguments: Layout.all, [true, false]) func everyRowOnce(_ layout: Layout, byKey: Bool) async throws {
        try await BatchFleet.with(layout, ["a", "b"], rows: 95) { batches in
            batches.fleet.runbooks = [batches.runbook(batches.work(byKey ? batches.keyset : batches.untilNone))]
            let report = try await batches.fleet.apply()
            #expect(report.exitCode == 0, "\(report)")
            #expect(report.runbooks.map(\.rowsAffected) == [190])
            for tenant in ["a", "b"] { #expect(try batches.counts(tenant) == "1: 95") }
            #expect(try await batches.fleet.apply().nothingToDo)
            #expect(
                try batches.fleet.ledger("SELECT DISTINCT state, rows_affected FROM {m}attempts") == ["succeeded|95"])
        }
    }

    /// Guarantee: a batch with a row that cannot be worked on is halved until that row is found; all before it stays, and
    /// the next apply goes on from there.
    @Test(arguments: Layout.all, [true, false]) func badRowIsIsolated(_ layout: Layout, byKey: Bool) async throws {
        try await BatchFleet.with(layout, rows: 100) { batches in
            let table = batches.table("a")
            if layout == .files {
                try batches.fleet.sql(
                    "a",
                    """
                    CREATE TRIGGER no BEFORE UPDATE ON items WHEN new.id = 64 AND new.touched < 10
                    BEGIN SELECT raise(ABORT, 'row 64 is bad'); END
                    """)
            } else {
                try batches.fleet.sql("a", "ALTER TABLE \(table) ADD CONSTRAINT bad CHECK (id <> 64 OR touched <> 1)")
            }
            batches.fleet.runbooks = [batches.runbook(batches.work(byKey ? batches.keyset : batches.untilNone))]
            let report = try await batches.fleet.apply()
            #expect(report.exitCode == 1)
            let failure = try #require(report.failures.first)
            #expect(failure.state == "failed")
            #expect(failure.clean == false)
            #expect(failure.file == "batch.sql")
            #expect(failure.detail?.contains("A batch of 1 row") == true, "\(failure)")
            #expect(failure.detail?.contains("The 63 rows before it are kept") == true, "\(failure)")
            if byKey {
                #expect(failure.detail?.contains("behind cursor 63") == true, "\(failure)")
                #expect(try batches.counts() == "0: 37, 1: 63")
                #expect(try batches.receipt() == ["failed|63|63"])
            }
            #expect(try batches.fleet.ledger("SELECT state, rows_affected FROM {m}executions") == ["failed|63"])

            try batches.fleet.sql(
                "a", layout == .files ? "DROP TRIGGER no" : "ALTER TABLE \(table) DROP CONSTRAINT bad")
            let second = try await batches.fleet.apply()
            #expect(second.exitCode == 0, "\(second)")
            #expect(second.runbooks.map(\.rowsAffected) == [100])
            #expect(try batches.counts() == "1: 100")
        }
    }

    /// Guarantee: a cursor that stands still or goes in circles ends it, and the batch that showed it is not kept.
    @Test(arguments: Layout.all) func cursorThatStandsStillIsAnError(_ layout: Layout) async throws {
        try await BatchFleet.with(layout, rows: 30) { batches in
            let still =
                layout == .files
                ? """
                UPDATE items SET touched = touched + 1 WHERE id IN (SELECT id FROM items LIMIT :limit)
                    AND coalesce(:cursor, 0) >= 0 RETURNING 7 AS cursor
                """
                : """
                WITH page AS (SELECT id FROM items WHERE coalesce(:cursor::int, 0) >= 0 LIMIT :limit),
                done AS (UPDATE items SET touched = touched + 1 FROM page WHERE items.id = page.id)
                SELECT 7 AS cursor, count(*) AS rows FROM page
                """
            batches.fleet.runbooks = [batches.runbook(batches.work(still))]
            let report = try await batches.fleet.apply()
            #expect(report.exitCode == 1)
            #expect(report.failures.map(\.message) == ["the cursor stands still at 7"])
            #expect(try batches.counts() == "0: 20, 1: 10")
        }
    }

    /// Guarantee: an answer that is none of those a batch may give is an error, and nothing of it is kept.
    @Test(.needsPostgres) func otherAnswersAreRefused() async throws {
        let answers = [
            "WITH d AS (UPDATE items SET touched = 1 RETURNING id) SELECT id FROM d LIMIT :limit":
                "this one answers the columns id",
            "WITH d AS (UPDATE items SET touched = 1 RETURNING id) SELECT id AS cursor, 1 AS rows FROM d LIMIT :limit":
                "this one answers 10 rows",
            "WITH d AS (UPDATE items SET touched = 1 RETURNING 1) SELECT 1 AS cursor, -1 AS rows FROM d LIMIT :limit - 9":
                "this one answers -1 as rows",
            "WITH d AS (UPDATE items SET touched = 1 RETURNING 1) SELECT 1 AS cursor, 1 AS rows FROM d LIMIT :limit - 9":
                "does not use :cursor",
        ]
        for (statement, complaint) in answers {
            try await BatchFleet.with(.schemas, rows: 20) { batches in
                batches.fleet.runbooks = [batches.runbook(batches.work(statement))]
                let report = try await batches.fleet.apply()
                #expect(report.exitCode == 1)
                #expect(report.failures.first?.message.contains(complaint) == true, "\(report.failures)")
                #expect(report.failures.first?.clean == true)
                #expect(try batches.counts() == "0: 20")
            }
        }
    }

    /// Guarantee: an error of the statement itself has its file and line, is not tried with fewer rows, and leaves
    /// nothing.
    @Test(arguments: Layout.all) func brokenStatementHasItsLine(_ layout: Layout) async throws {
        try await BatchFleet.with(layout, rows: 20) { batches in
            batches.fleet.runbooks = [
                batches.runbook(batches.work("-- a comment\nDELETE FROM items\nWHERE no_such_column = :limit"))
            ]
            let report = try await batches.fleet.apply()
            #expect(report.exitCode == 1)
            let failure = try #require(report.failures.first)
            #expect(failure.message.contains("no_such_column"))
            #expect(failure.line == 3, "\(failure)")
            #expect(failure.clean == true)
            #expect(failure.detail == "A batch of 10 rows at the beginning.")
            #expect(try batches.counts() == "0: 20")
        }
    }

    /// Guarantee: `verify` is asked behind the last batch; when it says no the batches stay, and it failed.
    @Test(arguments: Layout.all) func verifyThatSaysNoFails(_ layout: Layout) async throws {
        try await BatchFleet.with(layout, rows: 25) { batches in
            let verify = batches.script("verify.sql", "SELECT count(*) = 0 FROM items WHERE touched = 1")
            batches.fleet.runbooks = [batches.runbook(batches.work(batches.keyset)) { $0.verify = verify }]
            let report = try await batches.fleet.apply()
            #expect(report.exitCode == 1)
            #expect(report.failures.first?.message.hasPrefix("verify answered") == true, "\(report.failures)")
            #expect(report.failures.first?.clean == false)
            #expect(try batches.counts() == "1: 25")
            try batches.fleet.sql("a", "UPDATE \(batches.table("a")) SET touched = 2")
            #expect(try await batches.fleet.apply().exitCode == 0)
            #expect(try batches.counts() == "2: 25")
        }
    }

    /// Guarantee: a statement that takes too long is ended and tried with fewer rows, by its own limit too.
    @Test(.needsPostgres) func slowBatchesAreCut() async throws {
        try await BatchFleet.with(.schemas, rows: 24) { batches in
            let slow = """
                WITH page AS (SELECT id FROM items WHERE id > coalesce(:cursor, 0) ORDER BY id LIMIT :limit),
                wait AS (SELECT pg_sleep(0.05 * count(*)) FROM page),
                done AS (UPDATE items SET touched = touched + 1 FROM page, wait WHERE items.id = page.id)
                SELECT max(id) AS cursor, count(*) AS rows FROM page
                """
            batches.fleet.runbooks = [
                batches.runbook(batches.work(slow) { $0.size = 24 }) { $0.limits.statementTimeout = .milliseconds(400) }
            ]
            let report = try await batches.fleet.apply()
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try batches.counts() == "1: 24")
        }
    }

    /// Guarantee: two statements of one workspace under way together never work on the same tenant: the second runner
    /// waits for its lock between batches too.
    @Test(.needsPostgres) func nobodyWorksBetweenBatches() async throws {
        try await BatchFleet.with(.schemas, rows: 40) { batches in
            let fleet = batches.fleet
            try fleet.sql("ledger", "CREATE TABLE public.log (n bigserial, what text)")
            let logged = batches.keyset.replacing(
                "SELECT max(id)", with: ", l AS (INSERT INTO public.log (what) VALUES ('batch')) SELECT max(id)")
            let fill = batches.runbook(batches.work(logged) { $0.pause = .milliseconds(30) }) {
                $0.phase = "post-deploy"
            }
            let other = Fleet.runbook("other", ["INSERT INTO public.log (what) VALUES ('other')"])
            fleet.runbooks = [fill, other]
            var manifest = try fleet.manifest
            for index in manifest.runbooks.indices { manifest.runbooks[index].limits.lockWait = .seconds(30) }
            let both = manifest
            async let first = Fleet.apply(both) { $0.selection = Selection(runbooks: ["fill"]) }
            try #require(
                try await eventually(within: .seconds(120)) {
                    try fleet.sqlCount("ledger", "SELECT count(*) FROM public.log") > 0
                })
            let second = await Fleet.apply(both) { $0.selection = Selection(runbooks: ["other"]) }
            #expect(await first.exitCode == 0)
            #expect(second.exitCode == 0, "\(second)")
            let session = try fleet.open("ledger")
            defer { session.close() }
            let log = try session.rows("SELECT what FROM public.log ORDER BY n").compactMap { $0[0].text }
            #expect(log == Array(repeating: "batch", count: 5) + ["other"])
            #expect(try batches.counts() == "1: 40")
        }
    }

    /// Guarantee: a changed body goes on where the one before it stopped; under `rerun` a finished one begins again.
    @Test(arguments: Layout.all) func changedBodyGoesOnAndRerunBeginsAgain(_ layout: Layout) async throws {
        try await BatchFleet.with(layout, rows: 50) { batches in
            let broken = batches.keyset.replacing(
                "touched + 1", with: "CASE WHEN items.id = 31 THEN NULL ELSE touched + 1 END")
            batches.fleet.runbooks = [batches.runbook(batches.work(broken))]
            #expect(try await batches.fleet.apply().exitCode == 1)
            #expect(try batches.counts() == "0: 20, 1: 30")
            batches.fleet.runbooks = [batches.runbook(batches.work(batches.keyset))]
            #expect(try await batches.fleet.apply().exitCode == 0)
            #expect(try batches.counts() == "1: 50")
            batches.fleet.runbooks = [
                batches.runbook(batches.work(batches.keyset + " ")) {
                    $0.onChange = .rerun
                    $0.checksum = "sha256:other"
                }
            ]
            let again = try await batches.fleet.apply()
            #expect(again.exitCode == 0, "\(again)")
            #expect(again.runbooks.map(\.rowsAffected) == [50])
            #expect(try batches.counts() == "2: 50")
        }
    }

    /// Guarantee: a query that says wait is waited for, whether it says so by a truth value or by a number, and is not
    /// asked in vain.
    @Test(arguments: Layout.all, [true, false]) func throttleIsWaitedFor(_ layout: Layout, byNumber: Bool) async throws
    {
        try await BatchFleet.with(layout, rows: 20) { batches in
            let (yes, no) = byNumber ? ("200", "0") : ("true", "false")
            let query = "SELECT CASE WHEN EXISTS (SELECT 1 FROM gate) THEN \(yes) ELSE \(no) END"
            let gate = layout == .schemas ? "a.gate" : "gate"
            try batches.fleet.sql("a", "CREATE TABLE \(gate) (x int); INSERT INTO \(gate) VALUES (1)")
            batches.fleet.runbooks = [
                batches.runbook(batches.work(batches.keyset) { $0.throttle = batches.script("throttle.sql", query) })
            ]
            let events = EventLog()
            let manifest = try batches.fleet.manifest
            async let report = Fleet.apply(manifest, events: events)
            let isWaiting = try await eventually(within: .seconds(120)) {
                events.events.contains { event in
                    if case .batch(_, _, let progress) = event { progress.waitingFor != nil } else { false }
                }
            }
            #expect(isWaiting)
            #expect(try batches.counts() == "0: 20")
            try batches.fleet.sql("a", "DELETE FROM \(gate)")
            #expect(await report.exitCode == 0)
            #expect(try batches.counts() == "1: 20")
        }
    }

    /// Guarantee: the ledger's row of a tenant that keeps its receipts itself follows them while the backfill goes on.
    @Test(arguments: Layout.withReceipts) func ledgerFollowsReceipts(_ layout: Layout) async throws {
        try await BatchFleet.with(layout, rows: 400) { batches in
            // Half-way it waits until it was looked at.
            try batches.fleet.sql("a", "CREATE TABLE gate (x int); INSERT INTO gate VALUES (1)")
            let query = "SELECT EXISTS (SELECT 1 FROM gate) AND EXISTS (SELECT 1 FROM items WHERE touched = 1)"
            batches.fleet.runbooks = [
                batches.runbook(
                    batches.work(batches.keyset) {
                        $0.throttle = batches.script("throttle.sql", query)
                        $0.pause = .milliseconds(1100)
                        $0.size = 200
                    })
            ]
            let manifest = try batches.fleet.manifest
            async let report = Fleet.apply(manifest)
            let prefix = layout == .files ? "muster_" : "muster."
            let isSeen = try await eventually(within: .seconds(120)) {
                guard let session = try? batches.fleet.open("ledger") else { return false }
                defer { session.close() }
                let row = try? session.row(
                    """
                    SELECT count(*) FROM \(prefix)executions WHERE state = 'running' AND rows_affected > 0
                        AND cursor = cast(rows_affected AS text) AND batches > 0
                    """)
                return row?[0].integer == 1
            }
            #expect(isSeen)
            try batches.fleet.sql("a", "DELETE FROM gate")
            #expect(await report.exitCode == 0)
            let attempts = try batches.fleet.ledger("SELECT state, attempt, rows_affected FROM {m}attempts")
            #expect(attempts == ["succeeded|1|400"])
            #expect(try batches.counts() == "1: 400")
        }
    }

    /// Guarantee: a backfill of workspace scope runs once, in the ledger's database.
    @Test(arguments: Layout.all) func workspaceHasItsOwn(_ layout: Layout) async throws {
        try await BatchFleet.with(layout, rows: 1) { batches in
            let first = await Fleet.apply(try batches.fleet.manifest)
            #expect(first.exitCode == 0)
            let create = Fleet.runbook(
                "create",
                [
                    "CREATE TABLE shared (id integer PRIMARY KEY, touched integer DEFAULT 0)",
                    "INSERT INTO shared (id) VALUES (1), (2), (3), (4), (5)",
                ]
            ) { $0.scope = .workspace }
            let statement = batches.keyset.replacing("items", with: "shared")
            let fill = batches.runbook(batches.work(statement) { $0.size = 2 }) {
                $0.scope = .workspace
                $0.after = ["create"]
            }
            batches.fleet.runbooks = [create, fill]
            let report = try await batches.fleet.apply()
            #expect(report.exitCode == 0, "\(report)")
            let session = try batches.fleet.open("ledger")
            defer { session.close() }
            #expect(try session.row("SELECT count(*) FROM shared WHERE touched = 1")?[0].integer == 5)
        }
    }

    /// Guarantee: without replicas there is nothing to wait for; who may not see them is told so.
    @Test(.needsPostgres) func lagWithoutReplicasIsNone() async throws {
        try await BatchFleet.with(.schemas, rows: 20) { batches in
            batches.fleet.runbooks = [
                batches.runbook(batches.work(batches.keyset) { $0.maxLag = .milliseconds(1) })
            ]
            let report = try await batches.fleet.apply()
            #expect(report.exitCode == 0)
            #expect(try batches.counts() == "1: 20")
        }
    }
}

extension RepairFleet {
    func sqlCount(_ place: String, _ query: String) throws -> Int {
        let session = try open(place)
        defer { session.close() }
        return try session.row(query)?[0].integer ?? -1
    }
}
