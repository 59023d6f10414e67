import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import SQLiteAccess
import TestSupport
import Testing

/// The transactional runbooks of a stage in tenants that are SQLite files.
@Suite struct SQLiteStageTests {
    /// Guarantee: a file is opened once for a stage and closed after it; each runbook is one transaction, which holds its
    /// receipt; fused, all are one.
    @Test(arguments: [false, true]) func aStageOpensAFileOnce(isFused: Bool) async throws {
        try await FileStage.with(tenants: 5) { stage async throws in
            stage.isFused = isFused
            stage.runbooks = [
                Fleet.runbook("columns", ["ALTER TABLE notes ADD COLUMN state TEXT"]),
                Fleet.runbook("index", ["CREATE INDEX by_state ON notes (state)"]),
                Fleet.runbook("fill", ["UPDATE notes SET state = 'open'"]),
            ]
            let before = try stage.transactions(of: "t1")
            let opener = OpenCounter()

            let report = await Fleet.apply(stage.manifest, opener: opener)

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(report.runbooks.map(\.rowsAffected) == [0, 0, 10])
            for tenant in stage.tenants {
                #expect(opener.opened[stage.path(tenant)] == 1)
                #expect(try stage.lines(tenant, "SELECT DISTINCT state FROM notes") == ["open"])
                #expect(
                    try stage.lines(tenant, "SELECT runbook, state, attempt, tenant FROM muster_receipts ORDER BY 1")
                        == [
                            "columns succeeded 1 \(tenant)", "fill succeeded 1 \(tenant)",
                            "index succeeded 1 \(tenant)",
                        ])
            }
            #expect(try stage.transactions(of: "t1") - before == (isFused ? 1 : 3))
            #expect(await Fleet.apply(stage.manifest).nothingToDo)
        }
    }

    /// Guarantee: what comes before a failure stands, the failure is told with its place, and only what comes after it is
    /// blocked.
    @Test(arguments: ["INSERT INTO notes VALUES (1)", "SELECT * FROM nowhere", "SELEC 1"])
    func aFailureInTheMiddleTouchesNothingElse(_ statement: String) async throws {
        try await FileStage.with(tenants: 3) { stage async throws in
            stage.runbooks = [
                FileStage.step("first", []), FileStage.step("second", [statement]),
                FileStage.step("third", [], after: ["second"]), FileStage.step("fourth", [], after: ["first"]),
            ]

            let report = await Fleet.apply(stage.manifest)

            #expect(report.exitCode == 1)
            #expect(report.failures.map(\.runbook) == ["second", "second", "second"])
            #expect(report.failures.allSatisfy { $0.file == "sql/second.sql" && $0.line == 2 && $0.clean == true })
            #expect(report.runbooks.map(\.counts.succeeded) == [3, 0, 0, 3])
            #expect(report.runbooks.map(\.counts.blocked) == [0, 0, 3, 0])
            #expect(try stage.lines("t2", "SELECT what FROM trace ORDER BY 1") == ["first", "fourth"])
            #expect(try stage.lines("t2", "SELECT runbook FROM muster_receipts ORDER BY 1") == ["first", "fourth"])
        }
    }

    /// Guarantee: fused, a failure leaves nothing of the others in that file, not even the table of receipts, and ledger and
    /// report say so; in other tenants all is done. Once the cause is gone, the next apply does it all.
    @Test(arguments: ["INSERT INTO notes SELECT id FROM notes", "SELEC 1"])
    func aFusedFailureLeavesNothing(_ statement: String) async throws {
        try await FileStage.with(tenants: 3) { stage async throws in
            stage.isFused = true
            stage.runbooks = [
                FileStage.step("first", ["CREATE TABLE made (x)"]), FileStage.step("second", []),
                FileStage.step("third", [statement]), FileStage.step("fourth", []),
            ]
            try stage.sql("t2", "DELETE FROM notes")
            let before = try stage.schema("t1")
            let isOfAll = statement == "SELEC 1"

            let report = await Fleet.apply(stage.manifest)

            let failed = isOfAll ? 3 : 2
            #expect(report.exitCode == (isOfAll ? 1 : 3))
            #expect(report.counts.failed == failed)
            #expect(report.failures.map(\.runbook) == Array(repeating: "third", count: failed))
            #expect(report.failures.allSatisfy { $0.file == "sql/third.sql" && $0.line == 2 && $0.clean == true })
            #expect(report.runbooks.map(\.counts.succeeded) == Array(repeating: 3 - failed, count: 4))
            #expect(report.runbooks.map(\.counts.failed) == [0, 0, failed, 0])
            #expect(report.runbooks.map(\.counts.blocked) == [failed, failed, 0, failed])
            #expect(try stage.schema("t1") == before)
            #expect(try stage.lines("t1", "SELECT count(*) FROM trace") == ["0"])
            #expect(
                try stage.lines("ledger", "SELECT DISTINCT tenant FROM muster_completed") == (isOfAll ? [] : ["t2"]))

            guard !isOfAll else { return }
            for tenant in ["t1", "t3"] { try stage.sql(tenant, "DROP INDEX one_each") }
            let again = await Fleet.apply(stage.manifest)
            #expect(again.exitCode == 0, "\(again.failures)")
            #expect(try stage.lines("t1", "SELECT count(*) FROM trace") == ["4"])
            #expect(try stage.lines("t1", "SELECT count(*) FROM muster_receipts") == ["4"])
        }
    }

    /// Guarantee: what another runner has done meanwhile is neither done again nor in the way of the rest.
    @Test(arguments: [false, true]) func whatIsDoneAlreadyIsLeftOut(isFused: Bool) async throws {
        try await FileStage.with(tenants: 2) { stage async throws in
            stage.isFused = isFused
            stage.runbooks = [FileStage.step("second", [])]
            #expect(await Fleet.apply(stage.manifest).exitCode == 0)
            // The ledger forgets what the files know.
            try FileManager.default.removeItem(atPath: stage.path("ledger"))
            try stage.sql("t2", "DELETE FROM muster_receipts; DELETE FROM trace")
            stage.runbooks = ["first", "second", "third"].map { FileStage.step($0, []) }

            let report = await Fleet.apply(stage.manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            for tenant in stage.tenants {
                #expect(try stage.lines(tenant, "SELECT what FROM trace ORDER BY 1") == ["first", "second", "third"])
            }
        }
    }

    /// Guarantee: temporary objects of one script do not reach the next, fused or not.
    @Test(arguments: [false, true]) func nothingTemporaryReachesTheNextScript(isFused: Bool) async throws {
        try await FileStage.with(tenants: 2) { stage async throws in
            stage.isFused = isFused
            stage.runbooks = [
                FileStage.step(
                    "leaky",
                    [
                        "CREATE TEMP TABLE notes (id)", "CREATE TEMP VIEW seen AS SELECT * FROM main.notes",
                        "CREATE TEMP TRIGGER louder AFTER INSERT ON main.notes BEGIN DELETE FROM trace; END",
                        "CREATE TEMP TABLE \"odd \"\" name\" (x)",
                    ]),
                FileStage.step(
                    "clean",
                    [
                        "INSERT INTO notes VALUES (7)",
                        "INSERT INTO trace SELECT 'temporary ' || name FROM sqlite_temp_schema",
                    ]),
            ]

            let report = await Fleet.apply(stage.manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try stage.lines("t1", "SELECT what FROM trace ORDER BY 1") == ["clean", "leaky"])
            #expect(try stage.lines("t1", "SELECT max(id) FROM main.notes") == ["7"])
        }
    }

    /// Guarantee: a violation that was there before is nobody's fault, and a new one is that of the script that made it,
    /// also where SQLite itself would say so only at the commit of them all.
    @Test(arguments: [false, true]) func foreignKeysAreEachScriptsOwn(isFused: Bool) async throws {
        try await FileStage.with(tenants: 1) { stage async throws in
            stage.isFused = isFused
            try stage.sql(
                "t1",
                """
                CREATE TABLE child (note REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED);
                INSERT INTO child VALUES (1), (99)
                """)
            stage.runbooks = [
                FileStage.step("index", ["CREATE INDEX by_note ON child (note)"]),
                FileStage.step("enforced", ["INSERT INTO child VALUES (2)"]) { $0.foreignKeys = true },
                FileStage.step("orphan", ["INSERT INTO child VALUES (98)"]) { $0.foreignKeys = true },
                FileStage.step("last", ["INSERT INTO child VALUES (1)"]) { $0.foreignKeys = true },
            ]

            let report = await Fleet.apply(stage.manifest)

            #expect(report.failures.map(\.runbook) == ["orphan"])
            #expect(report.failures.first?.clean == true)
            // What enforces foreign keys and what does not are two transactions.
            let done = isFused ? ["index"] : ["enforced", "index", "last"]
            #expect(try stage.lines("t1", "SELECT what FROM trace ORDER BY 1") == done)
            #expect(try stage.lines("t1", "SELECT runbook FROM muster_receipts ORDER BY 1") == done)
        }
    }

    /// Guarantee: each runbook has its own time, however long those before it took.
    @Test(arguments: [false, true]) func eachRunbookHasItsOwnTime(isFused: Bool) async throws {
        try await FileStage.with(tenants: 1) { stage async throws in
            stage.isFused = isFused
            stage.runbooks = [
                FileStage.step("quick", []),
                FileStage.step(
                    "endless", ["WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"]
                ) { $0.limits.runbookTimeout = .milliseconds(300) },
                FileStage.step("last", []),
            ]

            let report = await Fleet.apply(stage.manifest)

            #expect(report.failures.map(\.runbook) == ["endless"])
            #expect(report.failures.first?.message.contains("runbook_timeout (300ms)") == true, "\(report.failures)")
            #expect(report.runbooks.map(\.counts.succeeded) == (isFused ? [0, 0, 0] : [1, 0, 1]))
            #expect(try stage.lines("t1", "SELECT what FROM trace ORDER BY 1") == (isFused ? [] : ["last", "quick"]))
        }
    }

    /// Guarantee: a script that writes a receipt of its own fails, and is not taken for done.
    @Test(arguments: [false, true]) func aForgedReceiptProvesNothing(isFused: Bool) async throws {
        try await FileStage.with(tenants: 1) { stage async throws in
            stage.isFused = isFused
            let forged = """
                INSERT INTO muster_receipts (workspace, holder, runbook, key, tenant, state, attempt, fence, checksum)
                VALUES ('default', '', 'forger', '1', 't1', 'succeeded', 1, 0, 'sha256:0')
                """
            stage.runbooks = [FileStage.step("first", []), FileStage.step("forger", [forged])]

            let report = await Fleet.apply(stage.manifest)

            #expect(report.failures.map(\.runbook) == ["forger"])
            #expect(try stage.lines("t1", "SELECT what FROM trace") == (isFused ? [] : ["first"]))
            #expect(
                try stage.lines("ledger", "SELECT runbook FROM muster_completed") == (isFused ? [] : ["first"]))
        }
    }

    /// Guarantee: `synchronous` of the manifest is what scripts run under; SQLite's default, FULL, unless it says otherwise.
    @Test(arguments: Synchronous.allCases) func theManifestSaysHowLongACommitWaits(_ synchronous: Synchronous)
        async throws
    {
        try await FileStage.with(tenants: 2) { stage async throws in
            stage.synchronous = synchronous
            stage.runbooks = [
                Fleet.runbook("first", ["INSERT INTO trace SELECT 'first ' || synchronous FROM pragma_synchronous"]),
                Fleet.runbook("free", ["PRAGMA synchronous = OFF"]) { $0.transaction = false },
                Fleet.runbook("last", ["INSERT INTO trace SELECT 'last ' || synchronous FROM pragma_synchronous"]),
            ]

            let report = await Fleet.apply(stage.manifest)

            #expect(report.exitCode == 0, "\(report.failures)")
            let number = synchronous == .full ? 2 : 1
            for tenant in stage.tenants {
                #expect(
                    try stage.lines(tenant, "SELECT what FROM trace ORDER BY 1") == [
                        "first \(number)", "last \(number)",
                    ])
            }
        }
    }
}
