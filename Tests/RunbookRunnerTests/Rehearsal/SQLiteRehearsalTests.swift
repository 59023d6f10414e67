import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// A rehearsal in SQLite files.
@Suite struct SQLiteRehearsalTests {
    private func rehearse(
        _ stage: FileStage, change: (inout RehearseRequest) -> Void = { _ in }
    ) async -> RehearsalReport {
        var request = RehearseRequest()
        change(&request)
        return await RunbookService(opener: RealOpener()).rehearse(
            stage.manifest, request, events: EventLog(), stop: StopSwitch())
    }

    private func bytes(_ stage: FileStage) throws -> [Data] {
        try stage.tenants.map { try Data(contentsOf: URL(filePath: stage.path($0))) }
    }

    /// Guarantee: it predicts apply, each file stays as it was byte for byte, and no ledger and no lock file appear.
    @Test func predictsApplyAndLeavesNothing() async throws {
        try await FileStage.with(tenants: 4) { stage in
            try stage.sql("t3", "INSERT INTO notes VALUES (9)")
            stage.runbooks = [
                FileStage.step(
                    "columns", ["ALTER TABLE notes ADD COLUMN state TEXT", "UPDATE notes SET state = 'open'"]),
                FileStage.step("nine", ["INSERT INTO notes (id) VALUES (9)"]),
                FileStage.step("behind", ["DELETE FROM notes"], after: ["nine"]),
                FileStage.step("aside", ["CREATE TABLE aside AS SELECT * FROM notes"], after: ["columns"]),
            ]
            let before = try bytes(stage)

            let report = await rehearse(stage)

            try #require(report.error == nil, "\(report)")
            #expect(try bytes(stage) == before)
            let folder = URL(filePath: stage.path("ledger")).deletingLastPathComponent()
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).sorted()
                    == ["t1.db", "t2.db", "t3.db", "t4.db"])
            #expect(report.exitCode == 3)
            #expect(report.runbooks.map(\.counts.wouldSucceed) == [4, 3, 3, 4])
            #expect(report.runbooks.map(\.counts.wouldFail) == [0, 1, 0, 0])
            #expect(report.runbooks.map(\.counts.blocked) == [0, 0, 1, 0])
            #expect(report.failures.map(\.tenant) == ["t3"])
            #expect(report.failures.first?.line == 2)
            #expect(report.locks.isEmpty)
            #expect(report.wal == nil)

            let applied = await Fleet.apply(stage.manifest)
            #expect(applied.exitCode == report.exitCode)
            #expect(applied.runbooks.map(\.rowsAffected) == report.runbooks.map(\.rowsAffected))
            #expect(applied.failures.map(\.message) == report.failures.map(\.message))
            #expect(applied.failures.map(\.line) == report.failures.map(\.line))
        }
    }

    /// Guarantee: beside a ledger its tenants' locks are respected, and the ledger stays as it is.
    @Test func respectsTheTenantsLock() async throws {
        try await FileStage.with(tenants: 2) { stage in
            stage.runbooks = [FileStage.step("first", [])]
            #expect(await Fleet.apply(stage.manifest).exitCode == 0)
            stage.runbooks.append(FileStage.step("second", []))
            let ledger = try Data(contentsOf: URL(filePath: stage.path("ledger")))
            let locks = try RealOpener().openLockFile(
                beside: .init(dialect: .sqlite, revealed: "sqlite:\(stage.path("ledger"))", path: stage.path("ledger")))
            #expect(try locks.tryLock(LockKey.tenant("t1", workspace: "default"), .exclusive))

            let report = await rehearse(stage) { $0.lockWait = .milliseconds(50) }

            #expect(report.tenants.map(\.obstacle) == [.busy, nil], "\(report.tenants)")
            #expect(report.exitCode == 75)
            #expect(try Data(contentsOf: URL(filePath: stage.path("ledger"))) == ledger)
            _ = try locks.unlock(LockKey.tenant("t1", workspace: "default"), .exclusive)
        }
    }

    /// Guarantee: foreign keys that a script leaves without their rows fail it, as in apply.
    @Test func foreignKeysAreChecked() async throws {
        try await FileStage.with(tenants: 1) { stage in
            try stage.sql(
                "t1", "CREATE TABLE parts (note INTEGER REFERENCES notes (id)); INSERT INTO parts VALUES (1)")
            stage.runbooks = [
                FileStage.step("rebuild", ["CREATE TABLE x (id)", "DELETE FROM notes WHERE id = 1"]),
                FileStage.step("other", []),
            ]

            let report = await rehearse(stage)

            #expect(report.runbooks.map(\.counts.wouldFail) == [1, 0])
            #expect(report.failures.first?.message.hasPrefix("foreign keys are violated after the script") == true)
        }
    }

    /// Guarantee: a hook with dry_run is told that it is one, and finds the file as it was; another is not started.
    @Test func hooksRunDry() async throws {
        try await FileStage.with(tenants: 1) { stage in
            let trace = stage.path("trace")
            func hook(_ id: String, _ script: String, dryRun: Bool) -> Runbook {
                FileStage.step(id, []) {
                    $0.action = .exec(
                        HookCommand(arguments: ["/bin/sh", "-c", script], timeout: .seconds(30), dryRun: dryRun))
                }
            }
            stage.runbooks = [
                FileStage.step("first", []),
                hook("dry", "echo \"$MUSTER_DRY_RUN $MUSTER_TENANT\" >> '\(trace)'", dryRun: true),
                hook("wet", "echo wet >> '\(trace)'", dryRun: false),
                hook("bad", "echo no way; exit 3", dryRun: true),
            ]

            let report = await rehearse(stage)

            let traces = try String(contentsOfFile: trace, encoding: .utf8)
            #expect(traces == "1 t1\n")
            #expect(report.runbooks.map(\.counts.wouldSucceed) == [1, 1, 0, 0])
            #expect(report.runbooks.map(\.counts.notRehearsed) == [0, 0, 1, 0])
            #expect(report.failures.map(\.message) == ["the hook's dry run ended with exit 3"])
            #expect(report.failures.map(\.detail) == ["no way"])
            #expect(report.exitCode == 1)
        }
    }

    /// Guarantee: the file is held no longer than allowed, and nothing remains of what was cut short.
    @Test func maxHoldEndsIt() async throws {
        try await FileStage.with(tenants: 1) { stage in
            let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
            stage.runbooks = [
                FileStage.step("quick", []), FileStage.step("endless", [endless]), FileStage.step("late", []),
            ]
            let before = try bytes(stage)

            let report = await rehearse(stage) { $0.maxHold = .milliseconds(200) }

            #expect(try bytes(stage) == before)
            let tenant = try #require(report.tenants.first)
            #expect(tenant.obstacle == .maxHold)
            #expect(tenant.steps.map(\.state) == [.wouldSucceed, .notRehearsed, .notRehearsed])
            #expect(tenant.heldMS >= 200)
            #expect(report.exitCode == 1)
        }
    }
}
