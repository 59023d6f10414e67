import Foundation
import TestSupport
import Testing

/// What can happen to the file of the ledger.
@Suite struct LedgerFileFaultTests {
    /// Three tenants; the ledger in a folder of its own.
    private func fleet(_ runbooks: String = #"{ id: "r1", sql: "r1.sql" }"#) async throws -> FileFleet {
        let fleet = try FileFleet()
        for _ in 0..<3 { try await fleet.addTenant() }
        try fleet.addRunbook()
        try fleet.workplace.write(
            "deploy.json5",
            """
            { manifest: 1, ledger: { url: "sqlite:disk/ledger.db" }, tenants: { files: "tenants/*.db" },
              concurrency: { tenants: 1 }, runbooks: [\(runbooks)] }
            """)
        return fleet
    }

    private func disk(_ fleet: FileFleet) -> URL { fleet.workplace.folder.appending(path: "disk") }

    private func ledger(_ fleet: FileFleet) -> SQLiteFile {
        SQLiteFile(path: disk(fleet).appending(path: "ledger.db"))
    }

    /// Guarantee: without room for the ledger nothing is touched, and trying later helps.
    @Test(.needsMount) func diskIsFullAtTheBeginning() async throws {
        let fleet = try await fleet()
        try await SmallDisk.with("1m", at: disk(fleet)) { disk in
            try await disk.fill()
            let report = try await fleet.workplace.apply()
            #expect(report.exitCode == 75, "\(report)")
            #expect(report.retryable)
            #expect(report.error?.message.contains("Make room on its disk") == true, "\(report)")
            for tenant in fleet.present { #expect(try await fleet.effects(of: tenant) == []) }
            try disk.makeRoom()
            #expect(try await fleet.workplace.apply().counts.succeeded == 3)
        }
    }

    /// Guarantee: when the room runs out while work goes on, what was done is found again: the next apply joins the run,
    /// finishes it, and does nothing twice.
    @Test(.needsMount) func diskIsFullInTheMiddle() async throws {
        let fleet = try await fleet(#"{ id: "gate", exec: ["./gate"] }, { id: "r1", sql: "r1.sql" }"#)
        try fleet.workplace.writeProgram(
            "gate", "#!/bin/sh\necho $MUSTER_TENANT >>begun\nwhile [ ! -e go ]; do sleep 0.02; done\n")
        try await SmallDisk.with("1m", at: disk(fleet)) { disk in
            let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
            try #require(try await eventually { fleet.workplace.exists("begun") })
            try await disk.fill()
            try fleet.workplace.write("go", "")
            let report = try PrintedReport(try await runner.ending())
            #expect(report.exitCode == 75, "\(report)")
            #expect(report.retryable)
            #expect(report.error?.message.contains("Make room on its disk") == true, "\(report)")
            #expect(report.next?.contains("muster apply") == true)
            try disk.makeRoom()
            let second = try await fleet.workplace.apply()
            #expect(second.exitCode == 0, "\(second)")
            #expect(second.run?.joined == true)
            for tenant in fleet.present { #expect(try await fleet.effects(of: tenant) == ["r1 \(tenant)"]) }
            #expect(try fleet.workplace.read("begun") == "t1\nt2\nt3\n")
        }
    }

    /// Guarantee: a ledger that somebody keeps locked for a moment is waited for.
    @Test func lockedLedgerIsWaitedFor() async throws {
        let fleet = try await fleet()
        #expect(try await fleet.workplace.apply("--tenant", "t1").exitCode == 0)
        let locked = try await LockedFile(ledger(fleet), by: "BEGIN IMMEDIATE")
        let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        let hasGivenUp = try await eventually(within: .seconds(2)) { !runner.isRunning }
        #expect(!hasGivenUp)
        try await locked.letGo()
        let report = try PrintedReport(try await runner.ending())
        #expect(report.exitCode == 0, "\(report)")
        #expect(report.counts.succeeded == 2)
    }

    /// Guarantee: a ledger that is no database is refused before anything is touched, with what to do; and once a backup is
    /// back, what was done since is taken from the tenants' receipts.
    @Test func ledgerIsDamaged() async throws {
        let fleet = try await fleet()
        #expect(try await fleet.workplace.apply("--tenant", "t1").exitCode == 0)
        try await ledger(fleet).sql("VACUUM INTO '\(disk(fleet).path)/copy.db'")
        #expect(try await fleet.workplace.apply("--tenant", "t2").exitCode == 0)
        let overwrite = "head -c 8192 /dev/urandom | dd of=ledger.db conv=notrunc 2>/dev/null; rm -f ledger.db-wal"
        try await Command("sh", "-ec", overwrite, folder: disk(fleet)).output()
        let report = try await fleet.workplace.apply()
        #expect(report.exitCode == 4, "\(report)")
        #expect(report.error?.message.contains("Put the file back from a backup") == true, "\(report)")
        #expect(try await fleet.effects(of: "t3") == [])

        try await Command("mv", "copy.db", "ledger.db", folder: disk(fleet)).output()
        #expect(try await fleet.workplace.apply().exitCode == 0)
        for tenant in fleet.present { #expect(try await fleet.effects(of: tenant) == ["r1 \(tenant)"]) }
        #expect(try await fleet.workplace.apply().nothingToDo)
    }

    /// Guarantee: a ledger that this user may not write is refused before anything is touched.
    @Test(.needsMount) func ledgerMayNotBeWritten() async throws {
        let fleet = try await fleet()
        try await SmallDisk.with("1m", at: disk(fleet)) { disk in
            #expect(try await fleet.workplace.apply("--tenant", "t1").exitCode == 0)
            try await Command("mount", "-o", "remount,ro", disk.folder.path).output()
            let report = try await fleet.workplace.apply()
            #expect(report.exitCode == 4, "\(report)")
            #expect(report.error?.message.contains("may write the file and its folder") == true, "\(report)")
            #expect(try await fleet.effects(of: "t2") == [])
        }
    }
}
