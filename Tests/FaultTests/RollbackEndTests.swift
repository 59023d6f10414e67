import Foundation
import TestSupport
import Testing

/// Rollbacks of what was half done, and rollbacks that are killed and never gone on with, through the built program.
@Suite struct RollbackEndTests {
    private func rollback(_ fleet: SchemaFleet, _ arguments: String..., environment: [String: String] = [:]) -> Command
    {
        Command(
            [Checkout.muster, "rollback", "-f", "deploy.json5", "--yes", "--format", "json"] + arguments,
            folder: fleet.workplace.folder, environment: fleet.workplace.environment.merging(environment) { $1 })
    }

    /// What the tenants hold.
    private func dump(_ database: PostgresDatabase) async throws -> String {
        let text = try await Command(["pg_dump", database.url, "--schema=t*"]).output()
        return text.split(separator: "\n")
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.joined(separator: "\n")
    }

    /// Guarantee 3, backwards: a backfill that was killed half-way and cancelled is undone. That rollback is killed in the
    /// middle of a script and gone on with; no row keeps a trace, each undo happens once, and the next apply begins the
    /// backfill from the start.
    @Test(.needsPostgres, arguments: [true, false]) func halfDoneBackfillIsUndone(isLocal: Bool) async throws {
        try await PostgresDatabase.with { database in
            try await PostgresDatabase.with { elsewhere in
                let ledger = isLocal ? database : elsewhere
                let fleet = try await SchemaFleet.make(
                    4, in: database, ledger: ledger.url, concurrency: 2,
                    runbooks: """
                        { id: "fill", batch: { sql: "fill.sql", size: 10, target: "none", pause: "10ms" }, rollback: "fill.down.sql" },
                        """,
                    scripts: [
                        "fill.sql": """
                        WITH page AS (SELECT id FROM items WHERE id > coalesce(:cursor::bigint, 0) ORDER BY id LIMIT :limit),
                        done AS (UPDATE items SET touched = touched + 1 FROM page WHERE items.id = page.id)
                        SELECT max(id) AS cursor, count(*) AS rows FROM page

                        """,
                        "fill.down.sql": "UPDATE items SET touched = touched - 1 WHERE touched > 0;\n"
                            + "SELECT pg_sleep(seconds) FROM public.patience;\n" + traced("down"),
                    ])
                try await database.psql(
                    """
                    CREATE TABLE public.patience AS SELECT 600 AS seconds;
                    DO $$ BEGIN FOR i IN 1..4 LOOP
                        EXECUTE format('CREATE TABLE %I.items AS SELECT id, 0 AS touched FROM generate_series(1, 1000) id',
                            't' || to_char(i, 'FM0000'));
                    END LOOP; END $$;
                    """)
                let all = (1...4).map { "SELECT touched FROM t000\($0).items" }.joined(separator: " UNION ALL ")
                let counts = "SELECT touched || ': ' || count(*) FROM (\(all)) x GROUP BY touched ORDER BY 1"
                let apply = try fleet.start()
                let isUnderWay = try await eventually(within: .seconds(60)) {
                    try await database.lines("SELECT sum(touched) > 200 FROM (\(all)) x") == ["t"]
                }
                try #require(isUnderWay)
                apply.send(SIGKILL)
                _ = try await apply.ending()
                let run = try #require(try await ledger.lines("SELECT id FROM muster.runs").first)
                let open = try PrintedReport(try await rollback(fleet, "fill").run())
                #expect(open.exitCode == 4 && open.error?.code == "run", "\(open)")
                let cancelled = try await fleet.workplace.muster("cancel", run, "-f", "deploy.json5", "--yes").run()
                #expect(cancelled.code == 0, "\(cancelled)")
                let half = try await database.lines(counts)
                #expect(half.count == 2 && half.allSatisfy { $0.hasPrefix("0: ") || $0.hasPrefix("1: ") }, "\(half)")

                let undo = try rollback(fleet, "fill").start()
                let sleeping = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
                let isAsleep = try await eventually {
                    try await database.lines("SELECT count(*) \(sleeping)") == ["2"]
                }
                try #require(isAsleep)
                undo.send(SIGKILL)
                _ = try await undo.ending()
                // What the dead runner's sessions had not committed is gone with them.
                try await database.psql("UPDATE public.patience SET seconds = 0")
                try await database.psql("SELECT pg_terminate_backend(pid, 10000) \(sleeping)")
                #expect(try await database.lines(counts) == half)

                let report = try PrintedReport(try await rollback(fleet, "fill").run())

                #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
                #expect(report.run?.joined == true)
                #expect(try await database.lines(counts) == ["0: 4000"])
                // Two tenants had not begun, and have nothing to undo.
                #expect(try await fleet.lostAndRepeated(of: 2, "down") == (lost: 0, repeated: 0))
                let states = "SELECT state, count(*), count(cursor) FROM muster.executions GROUP BY state"
                #expect(try await ledger.lines(states) == ["rolled_back|2|0"])
                let again = try await fleet.workplace.apply()
                #expect(again.exitCode == 0, "\(again.failures)")
                #expect(try await database.lines(counts) == ["1: 4000"])
            }
        }
    }

    /// Guarantee 6, backwards: what an apply had committed when it was killed, and never told, and cancelled, is undone by
    /// a rollback too, of the runbook or of the run: exit 0 means that nothing of it is left.
    @Test(.needsPostgres, .needsFailpoints, arguments: [true, false]) func whatWasNeverToldIsUndone(
        ofRun: Bool
    ) async throws {
        try await PostgresDatabase.with { database in
            try await PostgresDatabase.with { ledger in
                let fleet = try await SchemaFleet.make(
                    12, in: database, ledger: ledger.url,
                    runbooks: #"{ id: "columns", sql: "up.sql", rollback: "down.sql" }"#,
                    scripts: [
                        "up.sql": "CREATE TABLE mark (x int);\n", "down.sql": "DROP TABLE mark;\n" + traced("down"),
                    ])
                let before = try await dump(database)
                let killed = try await Command(
                    [Checkout.muster, "apply", "-f", "deploy.json5"], folder: fleet.workplace.folder,
                    environment: fleet.workplace.environment.merging([
                        "MUSTER_FAILPOINTS": "script_message.after=kill@3"
                    ]) { $1 }
                ).run()
                try #require(killed.code == 128 + SIGKILL, "\(killed)")
                let done = try await database.lines(
                    "SELECT count(*) FROM muster.receipts WHERE state = 'succeeded'")
                #expect(try await ledger.lines("SELECT count(*) FROM muster.executions") == ["0"])
                let run = try #require(try await ledger.lines("SELECT id FROM muster.runs").first)
                let cancelled = try await fleet.workplace.muster("cancel", run, "-f", "deploy.json5", "--yes").run()
                #expect(cancelled.code == 0, "\(cancelled)")

                let undo = ofRun ? rollback(fleet, "--run", run) : rollback(fleet, "columns")
                let report = try PrintedReport(try await undo.run())

                #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
                #expect(try await dump(database) == before)
                #expect(try await fleet.effects() == Int(done.first ?? ""))
                #expect(try await ledger.lines("SELECT count(*) FROM muster.completed") == ["0"])
                #expect(
                    try await ledger.lines("SELECT count(*) FROM muster.events WHERE kind = 'follow_receipts'") == done)
                let again = try await fleet.workplace.apply()
                #expect(again.exitCode == 0 && again.counts.succeeded == 12, "\(again.counts)")
            }
        }
    }

    /// Guarantee 5: a rollback is killed after tenants have committed and before the ledger has heard of it, and cancelled
    /// instead of gone on with. `ledger repair` names exactly these tenants, no apply goes over them, and set right by
    /// `--forget-missing` ledger and receipts agree, and an apply does what was undone, once.
    @Test(.needsPostgres, .needsFailpoints) func killedAndCancelledRollbackIsReconciled() async throws {
        try await PostgresDatabase.with { database in
            try await PostgresDatabase.with { ledger in
                let fleet = try await SchemaFleet.make(
                    12, in: database, ledger: ledger.url,
                    runbooks: #"{ id: "columns", sql: "up.sql", rollback: "down.sql" }"#,
                    scripts: [
                        "up.sql": "CREATE TABLE mark (x int);\n" + traced("up"), "down.sql": "DROP TABLE mark;\n",
                        "more.sql": "SELECT 1;\n",
                    ])
                #expect(try await fleet.workplace.apply().exitCode == 0)
                let after = try await dump(database)
                let killed = try await rollback(
                    fleet, "columns", environment: ["MUSTER_FAILPOINTS": "script_message.after=kill@3"]
                ).run()
                try #require(killed.code == 128 + SIGKILL, "\(killed)")
                let run = try #require(
                    try await ledger.lines("SELECT id FROM muster.runs WHERE kind = 'rollback'").first)
                let cancelled = try await fleet.workplace.muster("cancel", run, "-f", "deploy.json5", "--yes").run()
                #expect(cancelled.code == 0, "\(cancelled)")
                let undone = try await database.lines(
                    "SELECT tenant FROM muster.receipts WHERE state = 'rolled_back' ORDER BY 1")
                let known = try await ledger.lines(
                    "SELECT tenant FROM muster.executions WHERE state = 'rolled_back' ORDER BY 1")
                let unheard = undone.filter { !known.contains($0) }
                try #require((1...8).contains(unheard.count), "\(undone) \(known)")

                struct Repair: Decodable {
                    struct Finding: Decodable {
                        var tenant: String
                        var kind: String
                        var detail: String?
                        var repaired: Bool
                    }
                    var findings: [Finding]
                }
                func repair(_ arguments: String...) async throws -> (code: Int32, findings: [Repair.Finding]) {
                    let ending = try await fleet.workplace.muster(
                        ["ledger", "repair", "-f", "deploy.json5", "--format", "json"] + arguments
                    ).run()
                    return (ending.code, try JSONDecoder().decode(Repair.self, from: Data(ending.output.utf8)).findings)
                }
                let seen = try await repair()
                #expect(seen.code == 4)
                #expect(seen.findings.map(\.tenant) == unheard)
                #expect(seen.findings.allSatisfy { $0.kind == "missing_receipt" && $0.detail == "rolled back there" })
                let manifest = try String(
                    contentsOf: fleet.workplace.folder.appending(path: "deploy.json5"), encoding: .utf8)
                try fleet.workplace.write(
                    "deploy.json5",
                    manifest.replacing(
                        #""down.sql" }]"#, with: #""down.sql" }, { id: "more", sql: "more.sql" }]"#))
                let further = try await fleet.workplace.apply()
                #expect(further.exitCode == 4)
                #expect(further.failures.compactMap(\.tenant).sorted() == unheard)
                #expect(further.failures.allSatisfy { $0.message.contains("has no receipt of columns") })
                #expect(further.counts.succeeded == 12 - unheard.count)
                let next = "SELECT tenant FROM muster.receipts WHERE state = 'rolled_back' ORDER BY 1"
                let repaired = try await repair("--forget-missing", "--reason", "the rollback was cancelled", "--yes")
                #expect(repaired.code == 0)
                #expect(repaired.findings.allSatisfy(\.repaired) && repaired.findings.count == unheard.count)
                #expect(try await repair().code == 0)
                #expect(try await database.lines(next) == unheard)
                let events = try await ledger.lines(
                    "SELECT tenant, reason FROM muster.events WHERE kind = 'repair_forget_missing' ORDER BY 1")
                #expect(events == unheard.map { "\($0)|the rollback was cancelled" })

                let again = try await fleet.workplace.apply()
                #expect(again.exitCode == 0, "\(again.failures)")
                #expect(again.counts.succeeded == unheard.count)
                #expect(try await dump(database) == after)
                #expect(try await fleet.effects() == 12 + undone.count)
                #expect(try await ledger.lines("SELECT count(*) FROM muster.completed") == ["24"])
            }
        }
    }
}
