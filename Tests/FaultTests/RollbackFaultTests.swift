import Foundation
import TestSupport
import Testing

/// Rollbacks of many tenants, and rollbacks that are killed, through the built program.
@Suite struct RollbackFaultTests {
    private static let runbooks = """
        { id: "columns", sql: "columns.sql", rollback: "columns.down.sql" },
        { id: "rows", after: ["columns"], sql: "rows.sql", rollback: "rows.down.sql" },
        """

    private static let scripts = [
        "columns.sql": "ALTER TABLE notes ADD COLUMN mark text;\n",
        "columns.down.sql": "ALTER TABLE notes DROP COLUMN mark;\n" + traced("columns"),
        "rows.sql": "CREATE TABLE marks AS SELECT 1 / divisor AS n FROM switch;\n",
        "rows.down.sql": "DROP TABLE marks;\n" + traced("rows"),
    ]

    /// - Parameter failing: every so many tenants one fails in its second runbook.
    private func make(
        _ tenants: Int, failing: Int, in database: PostgresDatabase, url: String? = nil, ledger: String? = nil,
        top: String = "", runbooks: String = runbooks
    ) async throws -> SchemaFleet {
        let fleet = try await SchemaFleet.make(
            tenants, in: database, url: url, ledger: ledger, top: top, runbooks: runbooks, scripts: Self.scripts)
        try await database.psql(
            """
            DO $$ BEGIN FOR i IN 1..\(tenants) LOOP
                EXECUTE format('CREATE TABLE %1$I.notes (id int); CREATE TABLE %1$I.switch AS SELECT %2$s AS divisor',
                    't' || to_char(i, 'FM0000'), CASE WHEN i % \(failing) = 0 THEN 0 ELSE 1 END);
            END LOOP; END $$;
            """)
        return fleet
    }

    /// What the tenants hold, without the table that counts effects.
    private func dump(_ database: PostgresDatabase) async throws -> String {
        let text = try await Command(["pg_dump", database.url, "--schema=t*"]).output()
        return text.split(separator: "\n")
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.joined(separator: "\n")
    }

    private func rollback(_ fleet: SchemaFleet, _ arguments: String..., environment: [String: String] = [:]) -> Command
    {
        Command(
            [Checkout.muster, "rollback", "-f", "deploy.json5", "--yes", "--format", "json"] + arguments,
            folder: fleet.workplace.folder, environment: fleet.workplace.environment.merging(environment) { $1 })
    }

    /// Guarantee: a run over 1,000 tenants of which 40 fail is taken back by its id: the 960, and of the 40 what was done;
    /// what the tenants hold is byte for byte what they held before. An apply then does it all again.
    @Test(.needsPostgres) func aRunOverAThousandTenantsIsTakenBack() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await make(1000, failing: 25, in: database)
            let before = try await dump(database)
            let applied = try await fleet.workplace.apply()
            #expect(applied.exitCode == 3)
            #expect(applied.counts.succeeded == 960 && applied.counts.failed == 40, "\(applied.counts)")
            #expect(try await dump(database) != before)
            let run = try #require(applied.run?.id)

            let report = try PrintedReport(try await rollback(fleet, "--run", run).run(limit: .seconds(180)))

            #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            #expect(report.counts.succeeded == 1000, "\(report.counts)")
            let undone = Dictionary(report.runbooks.map { ($0.id, $0.counts.succeeded) }, uniquingKeysWith: { $1 })
            #expect(undone == ["rows": 960, "columns": 1000])
            #expect(try await fleet.lostAndRepeated(of: 960, "rows") == (lost: 0, repeated: 0))
            #expect(try await fleet.lostAndRepeated(of: 1000, "columns") == (lost: 0, repeated: 0))
            #expect(try await dump(database) == before)
            let states = try await database.lines(
                "SELECT runbook, state, count(*) FROM muster.executions GROUP BY 1, 2 ORDER BY 1, 2")
            #expect(states == ["columns|rolled_back|1000", "rows|failed|40", "rows|rolled_back|960"])
            #expect(try await database.lines("SELECT count(*) FROM muster.completed") == ["0"])
            #expect(try PrintedReport(try await rollback(fleet, "--run", run).run()).nothingToDo)

            try await database.psql(
                """
                DO $$ BEGIN FOR i IN 1..1000 LOOP
                    EXECUTE format('UPDATE %I.switch SET divisor = 1', 't' || to_char(i, 'FM0000'));
                END LOOP; END $$;
                """)
            let again = try await fleet.workplace.apply()
            #expect(again.exitCode == 0 && again.counts.succeeded == 1000, "\(again.counts)")
        }
    }

    /// Where a runner dies, and whether the ledger is in the tenants' database.
    private static let deaths = [
        "script_message.before=kill@3", "script_message.after=kill@3", "write_results.before=kill@1",
        "write_results.after=kill@1", "start_run.after=kill@1", "complete_run.before=kill@1",
        "complete_run.after=kill@1", "claim_jobs.after=kill@1", "seal.before=kill@1",
        "advance_run.before=kill@1", "advance_run.after=kill@1",
    ]

    /// Guarantees 1 and 5: killed wherever it is, a rollback is gone on with by the next start, nothing is undone twice, and
    /// an apply meanwhile is refused.
    @Test(.needsPostgres, .needsFailpoints, arguments: deaths, [true, false])
    func killedRollbackConverges(_ death: String, isLocal: Bool) async throws {
        try await PostgresDatabase.with { database in
            try await PostgresDatabase.with { elsewhere in
                let fleet = try await make(
                    24, failing: 1000, in: database, ledger: isLocal ? nil : elsewhere.url,
                    // Turned round, every tenant undoes its rows before any undoes its columns.
                    runbooks: Self.runbooks.replacing("id: \"rows\",", with: "id: \"rows\", barrier: true,"))
                let before = try await dump(database)
                let ledger = isLocal ? database : elsewhere
                let applied = try await fleet.workplace.apply()
                try #require(applied.exitCode == 0, "\(applied.failures)")
                let run = try #require(applied.run?.id)
                let after = try await dump(database)
                #expect(after != before)

                let killed = try await rollback(
                    fleet, "--run", run, environment: ["MUSTER_FAILPOINTS": death]
                ).run()
                try #require(killed.code == 128 + SIGKILL, "\(killed)")
                let open = try await ledger.lines(
                    "SELECT count(*) FROM muster.runs WHERE kind = 'rollback' AND status <> 'completed'")
                if open == ["1"], try await ledger.lines("SELECT count(*) FROM muster.completed") != ["48"] {
                    let refused = try await fleet.workplace.apply()
                    #expect(
                        refused.exitCode == 4 && refused.error?.code == "run", "\(String(describing: refused.error))")
                }

                let report = try PrintedReport(try await rollback(fleet, "--run", run).run())

                #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
                #expect(try await dump(database) == before)
                #expect(try await fleet.lostAndRepeated(of: 48) == (lost: 0, repeated: 0))
                let states = try await ledger.lines("SELECT DISTINCT state FROM muster.known")
                #expect(states == ["rolled_back"])
                let runs = try await ledger.lines("SELECT kind, status, outcome FROM muster.runs ORDER BY started_at")
                #expect(runs.first == "apply|completed|succeeded")
                #expect(runs.dropFirst().allSatisfy { $0 == "rollback|completed|succeeded" }, "\(runs)")
                let again = try await fleet.workplace.apply()
                #expect(again.exitCode == 0 && again.counts.succeeded == 24, "\(again.counts)")
                #expect(try await dump(database) == after)
            }
        }
    }

    /// Guarantee 2: a program that undoes and is killed with its runner leaves an end that nobody saw: neither apply nor
    /// rollback goes over it, and a person says what became of it. One that may be repeated is started again.
    @Test(arguments: [true, false]) func killedProgramIsForAPerson(isRepeatable: Bool) async throws {
        let fleet = try FileFleet()
        try await fleet.addTenant()
        try fleet.workplace.writeProgram(
            "call",
            "#!/bin/sh\necho \"$MUSTER_ROLLBACK\" >> calls\n[ $MUSTER_ROLLBACK = 0 ] || [ ! -e slow ] || sleep 30\n")
        try fleet.workplace.write(
            "deploy.json5",
            """
            { manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/*.db" },
              runbooks: [{ id: "call", exec: ["./call"], repeatable: true,
                rollback: { exec: ["./call"], repeatable: \(isRepeatable) } }] }
            """)
        #expect(try await fleet.workplace.apply().exitCode == 0)
        try fleet.workplace.write("slow", "")
        let undo = ["rollback", "call", "-f", "deploy.json5", "--yes", "--format", "json"]
        let runner = try fleet.workplace.muster(undo).start()
        try #require(
            try await eventually {
                // What is not on record would be waited for until its time limit.
                let noted = "SELECT count(*) FROM muster_receipts WHERE process_group IS NOT NULL"
                let lines = try? await fleet.file("t1").lines(noted)
                return try lines == ["1"] && fleet.workplace.read("calls").contains("1")
            })
        runner.send(SIGKILL)
        _ = try await runner.ending()
        try fleet.workplace.remove("slow")

        let again = try PrintedReport(try await fleet.workplace.muster(undo).run(limit: .seconds(120)))
        guard !isRepeatable else {
            #expect(again.exitCode == 0, "\(again.failures) \(String(describing: again.error))")
            #expect(try fleet.workplace.read("calls") == "0\n1\n1\n")
            return
        }
        #expect(again.exitCode == 5, "\(again)")
        #expect(try await fleet.workplace.apply().exitCode == 5)
        #expect(try fleet.workplace.read("calls") == "0\n1\n")
        let settled = try await fleet.workplace.muster(
            "resolve", "call", "--tenant", "t1", "--applied", "--reason", "it was not undone", "-f", "deploy.json5",
            "--yes"
        ).run()
        #expect(settled.code == 0, "\(settled)")
        #expect(try await fleet.workplace.apply().nothingToDo)
        #expect(try PrintedReport(try await fleet.workplace.muster(undo).run()).exitCode == 0)
        #expect(try fleet.workplace.read("calls") == "0\n1\n1\n")
    }

    /// Guarantee 5: two rollbacks that are started at once are one run.
    @Test(.needsPostgres) func twoStartsAreOneRun() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await make(60, failing: 1000, in: database)
            #expect(try await fleet.workplace.apply().exitCode == 0)
            let runners = try (0..<3).map { _ in try rollback(fleet, "columns", "rows").start() }
            for runner in runners {
                let report = try PrintedReport(try await runner.ending(within: .seconds(120)))
                #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            }
            #expect(try await fleet.lostAndRepeated(of: 120) == (lost: 0, repeated: 0))
            let runs = try await database.lines(
                "SELECT kind, outcome, count(*) FROM muster.runs GROUP BY 1, 2 ORDER BY 1")
            #expect(runs == ["apply|succeeded|1", "rollback|succeeded|1"])
        }
    }

    /// Guarantee: a transactional undo goes through a pooler in transaction mode.
    @Test(.needsPostgres) func undoGoesThroughAPooler() async throws {
        try await Pooler.with(mode: "transaction", size: 3) { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await make(40, failing: 1000, in: database, url: pooler.url(database))
                let before = try await dump(database)
                #expect(try await fleet.workplace.apply().exitCode == 0)
                let report = try PrintedReport(try await rollback(fleet, "columns", "rows").run())
                #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
                #expect(try await dump(database) == before)
            }
        }
    }

    /// Guarantee: the rules that stop an apply stop a rollback, and what failed is tried again by `retry`.
    @Test(.needsPostgres) func stopRulesAndRetryHold() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await make(
                30, failing: 1000, in: database,
                top: "rollout: { max_failures: 0, waves: [{ name: \"canary\", limit: 5 }, { name: \"rest\" }] },")
            #expect(try await fleet.workplace.apply().exitCode == 0)
            let run = try await database.lines("SELECT id FROM muster.runs")
            try await database.psql("ALTER TABLE public.witness RENAME TO hidden")

            let stopped = try PrintedReport(try await rollback(fleet, "--run", run[0]).run())
            #expect(stopped.exitCode == 1, "\(stopped)")
            #expect(stopped.counts.succeeded == 0 && stopped.counts.failed >= 1, "\(stopped.counts)")
            #expect(try await database.lines("SELECT count(*) FROM muster.completed") == ["60"])
            try await database.psql("ALTER TABLE public.hidden RENAME TO witness")
            let failed = try #require(stopped.run?.id)

            let retried = try PrintedReport(
                try await fleet.workplace.muster(
                    "retry", failed, "-f", "deploy.json5", "--format", "json"
                ).run())
            #expect(retried.exitCode == 0, "\(retried.failures) \(String(describing: retried.error))")
            #expect(try await database.lines("SELECT count(*) FROM muster.completed") == ["0"])
            #expect(try await fleet.lostAndRepeated(of: 60) == (lost: 0, repeated: 0))
        }
    }
}
