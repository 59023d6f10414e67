import RunbookModel
import TestSupport
import Testing

/// A runner that died right behind a tenant's COMMIT.
@Suite struct DeadRunnerTests {
    /// Guarantee: the successor counts what the dead one committed as done in this run, as one try, and the history has it;
    /// nothing runs again.
    @Test(arguments: Layout.all) func committedWorkCountsForItsRun(_ layout: Layout) async throws {
        try await RepairFleet.with(layout, ["a", "b"]) { fleet in
            fleet.runbooks = [fleet.effect("one"), fleet.effect("two")]
            let first = try await fleet.apply()
            #expect(first.exitCode == 0, "\(first)")
            // As a kill between the tenant's COMMIT and the ledger's next write leaves it.
            try fleet.ledger("UPDATE {m}runs SET status = 'running', outcome = NULL, finished_at = NULL")
            try fleet.ledger("UPDATE {m}jobs SET state = 'running', finished_at = NULL WHERE tenant = 'a'")
            try fleet.ledger("DELETE FROM {m}attempts WHERE tenant = 'a'")
            if layout != .schemas { try fleet.ledger("DELETE FROM {m}executions WHERE tenant = 'a'") }

            let report = try await fleet.apply()

            #expect(report.exitCode == 0, "\(report)")
            #expect(report.run?.id == first.run?.id)
            #expect(report.run?.joined == true)
            #expect(report.counts.succeeded == 2, "\(report.counts)")
            #expect(report.counts.skipped == 0, "\(report.counts)")
            #expect(try fleet.ledger("SELECT succeeded, skipped FROM {m}runs") == ["2|0"])
            for table in ["executions", "attempts"] {
                let rows = try fleet.ledger("SELECT tenant, runbook, state, attempt FROM {m}\(table) ORDER BY 1, 2")
                #expect(
                    rows == ["a|one|succeeded|1", "a|two|succeeded|1", "b|one|succeeded|1", "b|two|succeeded|1"],
                    "\(table)")
            }
            #expect(try fleet.effects("a") == ["one", "two"])
        }
    }
}
