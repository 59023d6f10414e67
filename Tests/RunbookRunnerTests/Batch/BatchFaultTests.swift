import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// Whatever statement of a backfill fails, the next applies go on behind the last batch that was committed.
@Suite struct BatchFaultTests {
    /// Between ledger and tenant in one database and in two, only a lost answer makes a difference.
    private static let cases = Layout.all.flatMap { layout in
        StatementFault.Kind.allCases.filter { layout != .databases || $0 == .unanswered }.map { (layout, $0) }
    }

    /// Guarantee 3: no batch is lost and none is repeated, whichever statement fails, is lost, or is done and not
    /// answered. For every statement in turn.
    @Test(arguments: cases) func noBatchIsLostOrRepeated(_ layout: Layout, _ kind: StatementFault.Kind) async throws {
        try await BatchFleet.with(layout, rows: 30) { batches in
            batches.fleet.runbooks = [batches.runbook(batches.work(batches.keyset))]
            var number = 0
            var fault: StatementFault
            repeat {
                number += 1
                fault = StatementFault(kind, at: number)
                let place = "statement \(number)"
                let broken = await Fleet.apply(try batches.fleet.manifest, opener: FaultyOpener(fault: fault))
                let between = try batches.counts()
                if broken.exitCode == 0 { #expect(between == "1: 30", "\(place): \(broken)") }
                var report = try await batches.fleet.apply()
                // Refused once, and gone on with by the next.
                if report.exitCode == 1 || report.exitCode == 75 { report = try await batches.fleet.apply() }
                #expect(report.exitCode == 0, "\(place): \(broken)\n\(report)")
                #expect(try batches.counts() == "1: 30", "\(place), after \(between)")
                #expect(
                    try batches.fleet.ledger("SELECT count(*) FROM {m}runs WHERE status <> 'completed'") == ["0"],
                    "\(place)")
                try startOver(batches)
            } while fault.hasFired
            #expect(number > 20)
        }
    }

    private func startOver(_ batches: BatchFleet) throws {
        try batches.fleet.startOver()
        if batches.layout == .files {
            try batches.fleet.sql(
                "a",
                """
                CREATE TABLE items (id integer PRIMARY KEY, touched integer NOT NULL DEFAULT 0);
                WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 30)
                INSERT INTO items (id) SELECT i FROM n;
                """)
        } else {
            try batches.fleet.sql("a", "UPDATE \(batches.table("a")) SET touched = 0")
        }
    }
}
