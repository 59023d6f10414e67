import DatabaseAccess
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// A tenant that is not what the ledger thinks: restored from an older backup, renamed, made from a template.
@Suite struct RestoredTenantTests {
    /// Guarantee: in a restored tenant nothing runs until a person has decided; the others go on.
    @Test(arguments: Layout.withReceipts) func restoredTenantIsDrift(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a", "b", "c"]) { fleet in
            try fleet.copy("b", as: "backup", isTenant: false)
            fleet.runbooks = [fleet.effect("one"), fleet.effect("two")]
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.remove("b")
            try fleet.copy("backup", as: "b")

            // With nothing to run the tenant is not visited, and the ledger is believed.
            #expect(try await fleet.apply().nothingToDo)
            let looked = try await fleet.repair()
            #expect(looked.exitCode == 4)
            #expect(looked.findings.map(\.kind) == [.missingReceipt, .missingReceipt])
            #expect(looked.findings.map(\.tenant) == ["b", "b"])

            fleet.runbooks += [fleet.effect("three"), fleet.effect("four")]
            let report = try await fleet.apply()

            #expect(report.exitCode == 4, "\(report)")
            #expect(report.failures.count == 1)
            let failure = try #require(report.failures.first)
            #expect(failure.tenant == "b")
            #expect(failure.message.contains("one@1") && failure.message.contains("two@1"))
            #expect(failure.hint?.contains("muster ledger repair") == true)
            #expect(try fleet.effects("b") == [])
            #expect(try fleet.effects("a") == ["four", "one", "three", "two"])
            // It is said again as long as nobody decides.
            #expect(try await fleet.apply().exitCode == 4)

            let repaired = try await fleet.repair(.forgetMissing, "b")
            #expect(repaired.exitCode == 0, "\(repaired)")
            #expect(repaired.findings.map(\.repaired) == [true, true])
            #expect(
                try fleet.ledger("SELECT DISTINCT kind, actor, reason, tenant FROM {m}events")
                    == ["repair_forget_missing|ann|as tested|b"])
            #expect(
                try fleet.ledger("SELECT count(*) FROM {m}attempts WHERE tenant = 'b' AND state = 'rolled_back'") == [
                    "2"
                ]
            )
            #expect(try await fleet.apply().exitCode == 0)
            #expect(try fleet.effects("b") == ["four", "one", "three", "two"])
            #expect(try await fleet.repair().exitCode == 0)
        }
    }

    /// Guarantee: a backup that holds some of the receipts is told from one that holds all.
    @Test(arguments: Layout.withReceipts) func onlyWhatIsMissingRunsAgain(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a"]) { fleet in
            fleet.runbooks = [fleet.effect("one")]
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.copy("a", as: "backup", isTenant: false)
            fleet.runbooks.append(fleet.effect("two"))
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.remove("a")
            try fleet.copy("backup", as: "a")
            fleet.runbooks.append(fleet.effect("three"))

            #expect(try await fleet.apply().exitCode == 4)
            #expect(try await fleet.repair(.forgetMissing).exitCode == 0)
            #expect(try await fleet.apply().exitCode == 0)

            #expect(try fleet.effects("a") == ["one", "three", "two"])
        }
    }

    /// Guarantee: what was declared done by hand has no receipt, and needs none.
    @Test(arguments: Layout.withReceipts) func baselinedIsNotCompared(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a"]) { fleet in
            fleet.runbooks = [fleet.effect("one")]
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.ledger("UPDATE {m}executions SET state = 'baselined'")
            try fleet.receipts("a", "DELETE FROM {m}receipts")
            fleet.runbooks.append(fleet.effect("two"))

            #expect(try await fleet.repair().exitCode == 0)
            #expect(try await fleet.apply().exitCode == 0)
            #expect(try fleet.effects("a") == ["one", "two"])
        }
    }

    /// Guarantee: a receipt that the ledger does not know is believed: nothing runs again.
    @Test(arguments: Layout.withReceipts) func ledgerFollowsReceipts(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a", "b"]) { fleet in
            fleet.runbooks = [fleet.effect("one")]
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.ledger("DELETE FROM {m}executions WHERE tenant = 'a'")
            let looked = try await fleet.repair()
            #expect(looked.exitCode == 4)
            #expect(looked.findings.map(\.kind) == [.missingRecord])

            let report = try await fleet.apply()

            #expect(report.exitCode == 0, "\(report)")
            #expect(report.counts.skipped == 2)
            #expect(try fleet.effects("a") == ["one"])
            #expect(try await fleet.repair().exitCode == 0)
        }
    }

    /// Guarantee: a tenant made from another's copy runs nothing until its receipts are adopted, and then only what is new.
    @Test(arguments: Layout.withReceipts) func copyOfAnotherTenantIsAdopted(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a"]) { fleet in
            fleet.runbooks = [fleet.effect("one")]
            let first = try await fleet.apply()
            #expect(first.exitCode == 0, "\(first)")
            try fleet.copy("a", as: "b")

            let report = try await fleet.apply()
            #expect(report.exitCode == 4, "\(report)")
            #expect(report.failures.map(\.tenant) == ["b"])
            #expect(report.failures.first?.message.contains("tenant a") == true)
            #expect(report.failures.first?.hint?.contains("--adopt") == true)

            // A runbook without a receipt of its own is no way around it.
            fleet.runbooks = [fleet.effect("two")]
            #expect(try await fleet.apply().exitCode == 4)
            #expect(try fleet.effects("b") == ["one"])

            fleet.runbooks = [fleet.effect("one"), fleet.effect("two")]
            let adopted = try await fleet.repair(.adopt, "b")
            #expect(adopted.exitCode == 0, "\(adopted)")
            #expect(
                try fleet.ledger("SELECT kind, tenant, actor FROM {m}events ORDER BY id").last == "repair_adopt|b|ann")
            #expect(try await fleet.apply().exitCode == 0)
            #expect(try fleet.effects("b") == ["one", "two"])
            #expect(try fleet.effects("a") == ["one", "two"])
            #expect(try await fleet.repair().exitCode == 0)
        }
    }

    /// Guarantee: a report changes nothing, and says of a tenant that is not there that it could not be asked.
    @Test func missingFileIsUnanswered() async throws {
        try await RepairFleet.with(.files, ["a", "b"]) { fleet in
            fleet.runbooks = [fleet.effect("one")]
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.remove("a")
            try fleet.copy("b", as: "a")
            try fleet.sql("a", "DROP TABLE muster_receipts")
            let looked = try await fleet.repair()
            #expect(looked.findings.map(\.kind) == [.missingReceipt])
            #expect(try fleet.receipts("a", "SELECT name FROM sqlite_schema ORDER BY 1") == ["effects"])
        }
    }

    /// Guarantee: a changed body is declared done in the ledger and in the receipts, and nothing runs.
    @Test(arguments: Layout.all) func changedBodyIsAccepted(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a", "b"]) { fleet in
            fleet.runbooks = [fleet.effect("one")]
            #expect(try await fleet.apply().exitCode == 0)
            fleet.runbooks = [fleet.effect("one", body: " again")]
            #expect(try await fleet.apply().exitCode == 4)
            #expect(try await fleet.repair().findings.map(\.kind) == [.changedBody, .changedBody])

            let one = try await fleet.repair(.acceptChecksum, "a")
            #expect(one.exitCode == 0, "\(one)")
            #expect(try await fleet.repair().findings.map(\.tenant) == ["b"])
            #expect(try await fleet.repair(.acceptChecksum).exitCode == 0)
            let report = try await fleet.apply()
            #expect(report.exitCode == 0 && report.nothingToDo)
            #expect(try fleet.effects("a") == ["one"])
            #expect(
                try fleet.ledger("SELECT DISTINCT checksum FROM {m}executions") == [fleet.runbooks[0].checksum])
            if layout != .schemas {
                #expect(
                    try fleet.receipts("a", "SELECT DISTINCT checksum FROM {m}receipts") == [fleet.runbooks[0].checksum]
                )
            }
        }
    }

    /// Guarantee: a lock that somebody holds is waited for, and then said; nothing was changed.
    @Test(.needsPostgres) func heldLockIsTryAgain() async throws {
        try await RepairFleet.with(.databases, ["a"]) { fleet in
            fleet.runbooks = [fleet.effect("one")]
            #expect(try await fleet.apply().exitCode == 0)
            try fleet.receipts("a", "DELETE FROM {m}receipts")
            let session = try fleet.open("a", as: "psql")
            defer { session.close() }
            _ = try session.rows("SELECT pg_advisory_lock(\(LockKey.tenant("a", workspace: "default")))")

            let report = try await fleet.repair(.forgetMissing)

            #expect(report.exitCode == 75, "\(report)")
            #expect(report.findings.first?.detail?.contains("psql") == true)
            #expect(try fleet.ledger("SELECT state FROM {m}executions") == ["succeeded"])
        }
    }
}
