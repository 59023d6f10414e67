import Foundation
import TestSupport
import Testing

/// What can happen to a tenant's file. In each case: the tenant is named with what to do, the others are done, nothing is
/// lost or done twice, and once the file is whole again the next apply touches that tenant alone.
@Suite struct SQLiteFaultTests {
    /// Tenants t1 to t3 and a runbook whose script may need room.
    private func fleet(script: String? = nil) async throws -> FileFleet {
        let fleet = try FileFleet()
        for _ in 0..<3 { try await fleet.addTenant() }
        try fleet.addRunbook()
        if let script { try fleet.workplace.write("r1.sql", script) }
        return fleet
    }

    /// t2 alone has failed; its message and its advice say these things.
    private func expectFailure(
        of report: PrintedReport, saying message: String, advising hint: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(report.exitCode == 3, "\(report)", sourceLocation: sourceLocation)
        #expect(report.counts.succeeded == 2, sourceLocation: sourceLocation)
        #expect(Set(report.failures.map(\.tenant)) == ["t2"], sourceLocation: sourceLocation)
        let failure = report.failures.first
        #expect(failure?.clean == true, sourceLocation: sourceLocation)
        #expect(failure?.message.contains(message) == true, "\(report.failures)", sourceLocation: sourceLocation)
        #expect(failure?.hint?.contains(hint) == true, "\(report.failures)", sourceLocation: sourceLocation)
        #expect(report.next?.contains("muster apply") == true, sourceLocation: sourceLocation)
    }

    /// One more apply finishes t2 and leaves the others alone.
    private func expectOnlyT2(_ fleet: FileFleet, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let report = try await fleet.workplace.apply(sourceLocation: sourceLocation)
        #expect(report.exitCode == 0, "\(report)", sourceLocation: sourceLocation)
        #expect(report.counts.succeeded == 1, sourceLocation: sourceLocation)
        #expect(report.counts.skipped == 2, sourceLocation: sourceLocation)
        for tenant in ["t1", "t2", "t3"] {
            #expect(try await fleet.effects(of: tenant) == ["r1 \(tenant)"], sourceLocation: sourceLocation)
        }
        #expect(try await fleet.workplace.apply().nothingToDo, sourceLocation: sourceLocation)
    }

    /// Guarantee: another program's lock is no failure; past `lock_wait` the tenant is blocked, and trying later helps.
    @Test func lockedFileBlocks() async throws {
        let fleet = try await fleet()
        let locked = try await LockedFile(fleet.file("t2"), by: "BEGIN IMMEDIATE")
        let report = try await fleet.workplace.apply("--lock-wait", "300ms")
        #expect(report.exitCode == 75, "\(report)")
        #expect(report.retryable)
        #expect(report.counts.succeeded == 2)
        #expect(report.counts.blocked == 1)
        #expect(report.failures.map(\.tenant) == ["t2"])
        #expect(report.failures.first?.reason == "lock")
        #expect(report.failures.first?.message == "another program kept the tenant's file locked for 300ms")
        try await locked.letGo()
        try await expectOnlyT2(fleet)
    }

    /// Guarantee: a lock that is given back in time is waited for, and so is a reader that keeps a COMMIT waiting.
    @Test(arguments: ["BEGIN IMMEDIATE", "BEGIN; SELECT count(*) FROM witness"])
    func lockedFileIsWaitedFor(lock: String) async throws {
        let fleet = try await fleet()
        let locked = try await LockedFile(fleet.file("t2"), by: lock)
        let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        let others = try await eventually(within: .seconds(60)) {
            guard fleet.hasLedger else { return false }
            let done = try? await fleet.executions().filter { $0.value.state == "succeeded" }.keys.sorted()
            return done == ["t1 r1", "t3 r1"]
        }
        #expect(others)
        #expect(runner.isRunning)
        try await locked.letGo()
        let report = try PrintedReport(try await runner.ending())
        #expect(report.exitCode == 0, "\(report)")
        for tenant in ["t1", "t2", "t3"] { #expect(try await fleet.effects(of: tenant) == ["r1 \(tenant)"]) }
        #expect(try await fleet.executions().values.allSatisfy { $0.attempt == 1 })
    }

    /// Guarantee: the end of a hook is recorded even if the file is locked just then; it is not unknown, and not run again.
    @Test func lockedFileDoesNotLoseTheEndOfAHook() async throws {
        let fleet = try await fleet()
        try fleet.workplace.writeProgram(
            "hook", "#!/bin/sh\necho x >>started\nwhile [ ! -e go ]; do sleep 0.02; done\n")
        try fleet.workplace.write(
            "deploy.json5",
            """
            { manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/t2.db" },
              runbooks: [{ id: "h", exec: ["./hook"] }] }
            """)
        let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        try #require(try await eventually { fleet.workplace.exists("started") })
        let locked = try await LockedFile(fleet.file("t2"), by: "BEGIN IMMEDIATE")
        try fleet.workplace.write("go", "")
        // Longer than any single wait for a busy file.
        let hasGivenUp = try await eventually(within: .seconds(6)) { !runner.isRunning }
        #expect(!hasGivenUp)
        try await locked.letGo()
        #expect(try PrintedReport(try await runner.ending()).exitCode == 0)
        #expect(try fleet.workplace.read("started") == "x\n")
    }

    /// Guarantee: a file, or a folder, that this user may not write is named with what to do.
    @Test(arguments: ["chmod 444 other/t2.db", "chmod 555 other"]) func fileMayNotBeWritten(_ command: String)
        async throws
    {
        let fleet = try await fleet()
        let folder = fleet.workplace.folder
        try await Command(
            "sh", "-ec", "mkdir other; mv tenants/t2.db other; ln -s ../other/t2.db tenants/t2.db; \(command)",
            folder: folder
        ).output()
        let report: PrintedReport
        if getuid() == 0 {
            // Root may write anything; the program is run as somebody else, from where that somebody can read it.
            try FileManager.default.copyItem(atPath: Checkout.muster, toPath: folder.path + "/muster")
            try await Command("chown", "-Rh", "nobody", ".", folder: folder).output()
            report = try PrintedReport(
                try await Command(
                    "setpriv", "--reuid=nobody", "--clear-groups", "./muster", "apply", "-f", "deploy.json5",
                    "--format", "json", folder: folder
                ).run())
        } else {
            report = try await fleet.workplace.apply()
        }
        expectFailure(of: report, saying: "readonly database", advising: "Let this user write the file and the folder")
        try await Command("chmod", "-R", "u+w", "other", folder: folder).output()
        try await expectOnlyT2(fleet)
    }

    private let large =
        "INSERT INTO witness VALUES ('r1', muster_tenant());\nCREATE TABLE large AS SELECT randomblob(200000) AS x;\n"

    /// Guarantee: a tenant whose disk is full keeps its file as it was.
    @Test(.needsMount) func diskIsFull() async throws {
        let fleet = try await fleet(script: large)
        try await SmallDisk.with("1m", at: fleet.workplace.folder.appending(path: "disk")) { disk in
            try await Command(
                "sh", "-ec", "mv tenants/t2.db disk; ln -s ../disk/t2.db tenants/t2.db", folder: fleet.workplace.folder
            ).output()
            try await disk.fill()
            expectFailure(of: try await fleet.workplace.apply(), saying: "full", advising: "Make room on its disk")
            #expect(try await fleet.effects(of: "t2") == [])
            try disk.makeRoom()
            try await expectOnlyT2(fleet)
        }
    }

    /// Guarantee: what is no database, or is damaged inside, fails alone, until it is put back.
    @Test(arguments: [
        ("head -c 4096 /dev/urandom | dd of=tenants/t2.db conv=notrunc", "not a database"),
        // Its root page, with the schema whole: reading it fails in the middle of the script.
        ("head -c 4096 /dev/zero | tr '\\0' x | dd of=tenants/t2.db bs=4096 seek=1 conv=notrunc", "malformed"),
    ]) func fileIsDamaged(_ damage: (command: String, message: String)) async throws {
        let fleet = try await fleet()
        try await fleet.copyTenant("t2")
        try await Command("sh", "-ec", "\(damage.command) 2>/dev/null", folder: fleet.workplace.folder).output()
        expectFailure(
            of: try await fleet.workplace.apply(), saying: damage.message, advising: "Put the file back from a backup")
        try fleet.removeTenant("t2")
        try await Command("cp", "copies/t2.db", "tenants/t2.db", folder: fleet.workplace.folder).output()
        try await expectOnlyT2(fleet)
    }

    /// Guarantee: a file that is deleted, or replaced by a folder, while the run goes on is not made anew: it fails.
    @Test(arguments: [
        ("rm tenants/t2.db", "no such file", "Put the file back, or take the tenant out of the source"),
        ("rm tenants/t2.db; mkdir tenants/t2.db", "is a folder", "Put the file back"),
    ]) func fileIsGone(_ fault: (command: String, message: String, hint: String)) async throws {
        let fleet = try await fleet()
        let folder = fleet.workplace.folder
        try fleet.workplace.writeProgram("gate", "#!/bin/sh\ntouch begun\nwhile [ ! -e go ]; do sleep 0.02; done\n")
        let manifest = try fleet.workplace.read("deploy.json5")
            .replacing("runbooks: [", with: "runbooks: [{ id: \"gate\", exec: [\"./gate\"]}, ")
            .replacing("tenants: 2", with: "tenants: 1")
        try fleet.workplace.write("deploy.json5", manifest)
        try await fleet.copyTenant("t2")
        let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        try #require(try await eventually { fleet.workplace.exists("begun") })
        try await Command("sh", "-ec", fault.command, folder: folder).output()
        try fleet.workplace.write("go", "")
        expectFailure(
            of: try PrintedReport(try await runner.ending()), saying: fault.message, advising: fault.hint)
        try await Command(
            "sh", "-ec", "rm -rf tenants/t2.db; cp copies/t2.db tenants/t2.db", folder: folder
        ).output()
        try await expectOnlyT2(fleet)
    }

    /// Guarantee: a folder where a tenant's file was is not passed over as if that tenant had never been.
    @Test func folderInPlaceOfAFile() async throws {
        let fleet = try await fleet()
        try await fleet.copyTenant("t2")
        let folder = fleet.workplace.folder
        try await Command("sh", "-ec", "rm tenants/t2.db; mkdir tenants/t2.db", folder: folder).output()
        expectFailure(of: try await fleet.workplace.apply(), saying: "is a folder", advising: "Put the file back")
        try await Command(
            "sh", "-ec", "rmdir tenants/t2.db; cp copies/t2.db tenants/t2.db", folder: folder
        ).output()
        try await expectOnlyT2(fleet)
    }

    /// Guarantee: a transaction that a killed runner left half written in the file is rolled back by the next apply, which
    /// does the work once.
    @Test func killInTheMiddleOfATransaction() async throws {
        // More than SQLite keeps in memory, so that pages are in the file before the commit; then a pause.
        let fleet = try await fleet(
            script: """
                INSERT INTO witness VALUES ('r1', muster_tenant());
                CREATE TABLE large AS SELECT randomblob(6000000) AS x;
                WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n
                    WHERE i < CAST(muster_setting('app.pace') AS integer)) SELECT max(i) FROM n;

                """)
        try fleet.workplace.write(
            "deploy.json5",
            try fleet.workplace.read("deploy.json5").replacing(
                "tenants/*.db\"", with: "tenants/*.db\", settings: { \"app.pace\": \"${PACE}\" }"))
        func apply(pace: String) -> Command {
            Command(
                Checkout.muster, "apply", "-f", "deploy.json5", "--tenant", "t2", "--format", "json",
                folder: fleet.workplace.folder, environment: ["PACE": pace])
        }
        let before = try fleet.file("t2").path.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        let runner = try apply(pace: "1000000000000").start()
        let isHalfWritten = try await eventually {
            let now = try URL(filePath: fleet.file("t2").path.path).resourceValues(forKeys: [.fileSizeKey]).fileSize
            return fleet.workplace.exists("tenants/t2.db-journal") && (now ?? 0) > before + 1_000_000
        }
        try #require(isHalfWritten)
        runner.send(SIGKILL)
        _ = try await runner.ending()
        try #require(fleet.workplace.exists("tenants/t2.db-journal"))

        let report = try PrintedReport(try await apply(pace: "1").run())
        #expect(report.exitCode == 0, "\(report)")
        #expect(report.run?.joined == true)
        #expect(try await fleet.effects(of: "t2") == ["r1 t2"])
        #expect(try await fleet.file("t2").lines("PRAGMA integrity_check") == ["ok"])
        #expect(try await fleet.executions().keys.sorted() == ["t2 r1"])
    }

    /// Guarantee: however many files there are, only those at hand are open, and memory stays small.
    @Test func manyFilesNeedFewDescriptors() async throws {
        let count = ProcessInfo.processInfo.environment["MUSTER_TEST_FILES"].flatMap { Int($0) } ?? 2000
        let fleet = try await fleet()
        let empty = try Data(contentsOf: fleet.file("t1").path)
        for number in 4...count { try empty.write(to: fleet.file("t\(number)").path) }
        let runner = try Command(
            "sh", "-c", "ulimit -n 64; exec \"$@\"", "sh", Checkout.muster, "apply", "-f", "deploy.json5", "--format",
            "json", folder: fleet.workplace.folder
        ).start()
        var peak = 0
        _ = try await eventually(within: .seconds(600)) {
            peak = max(peak, runner.peakMemory ?? 0)
            return !runner.isRunning
        }
        let report = try PrintedReport(try await runner.ending())
        #expect(report.exitCode == 0, "\(report)")
        #expect(report.counts.succeeded == count)
        #expect(peak > 0 && peak < 200 << 20, "\(peak >> 20) MiB")
        #expect(try await fleet.workplace.apply().nothingToDo)
    }
}
