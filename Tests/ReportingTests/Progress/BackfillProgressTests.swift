import Foundation
import Reporting
import RunbookModel
import Testing

/// What people and programs see of a backfill under way.
struct BackfillProgressTests {
    private let identity = Identity(runbook: "fill", key: "1")

    private func progress(_ batches: (String, BatchProgress)...) -> Reporting.Progress {
        var progress = Reporting.Progress()
        progress.apply(.runStarted(run: "r", joined: false, tenants: 3, runbooks: 1), at: .zero)
        for (tenant, batch) in batches {
            progress.apply(.tenantStarted(tenant: tenant), at: .zero)
            progress.apply(.batch(tenant: tenant, identity: identity, progress: batch), at: .seconds(1))
        }
        return progress
    }

    @Test func theLineSumsWhatIsUnderWay() {
        let both = progress(
            ("a", BatchProgress(rows: 1000, total: 5000, batches: 4, size: 250, elapsedMS: 1000)),
            ("b", BatchProgress(rows: 3000, batches: 3, size: 1000, elapsedMS: 2000, rowsBefore: 1000)))
        #expect(both.line(at: .seconds(2)) == "0/3 tenants, backfills: 4000 rows, 2000 rows/s, 4.0 s left")
    }

    @Test func theLineIsAsBeforeWhenThereIsNone() {
        var ended = progress(("a", BatchProgress(rows: 1, batches: 1, size: 1, elapsedMS: 10)))
        ended.apply(
            .executionFinished(
                tenant: "a", identity: identity, state: .succeeded, rowsAffected: 1, durationMS: 10, failure: nil),
            at: .seconds(1))
        #expect(ended.line(at: .seconds(2)) == "0/3 tenants")
    }

    @Test func eachTenantsLineSaysHowFarItIs() {
        let several = progress(
            ("a", BatchProgress(rows: 1000, total: 4000, batches: 4, size: 250, elapsedMS: 1000)),
            ("b", BatchProgress(rows: 7, batches: 1, size: 10, elapsedMS: 1000)),
            (
                "c",
                BatchProgress(rows: 50, batches: 1, size: 10, elapsedMS: 1, waitingFor: "a replica that is 12s behind")
            ))
        let frame = several.frame(
            at: .seconds(2), in: TerminalSize(columns: 100, rows: 10), style: TextStyle(isColoured: false))
        #expect(
            frame.dropFirst() == [
                "  a  2 s  1000 of 4000 rows (25 %), batches of 250, 3.0 s left",
                "  b  2 s  7 rows, batches of 10",
                "  c  2 s  50 rows, waits for a replica that is 12s behind",
            ])
    }

    @Test func theEventHasEveryMember() throws {
        let event = RunEvent.batch(
            tenant: "a", identity: identity,
            progress: BatchProgress(rows: 10, total: 40, batches: 2, size: 5, cursor: "10", elapsedMS: 100))
        let line = try event.json(at: Date(timeIntervalSince1970: 0)).line
        #expect(
            line
                == #"{"event":"batch","at":"1970-01-01T00:00:00.000Z","tenant":"a","runbook":"fill","key":"1","rows":10,"total":40,"batches":2,"size":5,"cursor":"10","elapsed_ms":100,"remaining_ms":300,"waiting_for":null}"#
        )
    }
}
