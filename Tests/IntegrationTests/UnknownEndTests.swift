import Foundation
import TestSupport
import Testing

/// Runners that are killed in the middle of work that cannot be transactional, and what people then do.
@Suite struct UnknownEndTests {
    /// A workplace with one SQLite tenant and a hook that notes each start, and whether its forerunner still lives.
    private func hookPlace(_ runbook: String) async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write("tenants/.keep", "")
        try await SQLiteFile(path: workplace.folder.appending(path: "tenants/a.db")).sql("CREATE TABLE t (x);")
        try workplace.writeProgram(
            "hook",
            """
            #!/bin/sh
            for old in $(cat pids 2>/dev/null); do
                if [ -e /proc/$old ] && ! grep -q '^State:.Z' /proc/$old/status; then echo overlap >> witness; fi
            done
            echo $$ >> pids
            echo begin >> witness
            # A child that ignores TERM, too.
            sh -c 'trap "" TERM; echo $$ >> pids; sleep 300' &
            if [ -e quick ]; then echo end >> witness; exit 0; fi
            wait

            """)
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1,
              ledger: { url: "sqlite:.muster/ledger.db" },
              tenants: { files: "tenants/*.db" },
              runbooks: [{ id: "hook", exec: ["./hook"], timeout: "10m"\(runbook) }],
            }
            """)
        return workplace
    }

    private func killInTheMiddle(_ workplace: Workplace) async throws {
        let command = try workplace.muster("apply", "-f", "deploy.json5").start()
        let isUnderWay = try await eventually {
            guard let pids = try? workplace.read("pids") else { return false }
            return pids.split(separator: "\n").count == 2
        }
        try #require(isUnderWay)
        command.send(SIGKILL)
        #expect(try await command.ending().code == 128 + SIGKILL)
        // Its jobs are free once it counts as silent; nobody waits for that here.
        try await SQLiteFile(path: workplace.folder.appending(path: ".muster/ledger.db"))
            .sql("UPDATE muster_runners SET heartbeat_at = '2000-01-01T00:00:00.000Z';")
    }

    private func pids(_ workplace: Workplace) throws -> [Int32] {
        try workplace.read("pids").split(separator: "\n").compactMap { Int32($0) }
    }

    private func isAlive(_ process: Int32) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return false }
        return !status.contains("State:\tZ")
    }

    /// Guarantee: a hook whose end nobody saw is not started again by itself; a person decides, and what it left running
    /// is ended first.
    @Test func killedHookIsUnknownUntilResolved() async throws {
        let workplace = try await hookPlace("")
        try await killInTheMiddle(workplace)

        for _ in 1...2 {
            let report = try await workplace.apply()
            #expect(report.exitCode == 5, "\(report.failures)")
            #expect(report.failures.map(\.state) == ["unknown"])
        }
        #expect(try workplace.read("witness") == "begin\n")

        let old = try pids(workplace)
        #expect(old.allSatisfy(isAlive))
        let wrong = try await workplace.muster("resolve", "hook", "--tenant", "a", "--retry", "-f", "deploy.json5")
            .run()
        #expect(wrong.code == 64)
        let ending = try await workplace.muster(
            "resolve", "hook", "--tenant", "a", "--retry", "--reason", "nothing was sent", "-f", "deploy.json5",
            "--format", "json"
        ).run()
        #expect(ending.code == 0, "\(ending)")
        #expect(ending.output.contains(#""schema": "muster.resolve/1""#), "\(ending)")
        #expect(!old.contains(where: isAlive))

        try workplace.write("quick", "")
        #expect(try await workplace.apply().exitCode == 0)
        #expect(try workplace.read("witness") == "begin\nbegin\nend\n")
        #expect(try await workplace.apply().nothingToDo)
        let events = try await SQLiteFile(path: workplace.folder.appending(path: ".muster/ledger.db"))
            .lines("SELECT kind || ' ' || tenant || ' ' || reason FROM muster_events")
        #expect(events == ["resolve_retry a nothing was sent"])
    }

    /// Guarantee: a repeatable hook is finished by the next apply, and its forerunner is gone before it begins.
    @Test func repeatableHookNeverOverlaps() async throws {
        let workplace = try await hookPlace(", repeatable: true")
        try await killInTheMiddle(workplace)
        let old = try pids(workplace)
        try workplace.write("quick", "")

        let report = try await workplace.apply()

        #expect(report.exitCode == 0, "\(report.failures)")
        #expect(try workplace.read("witness") == "begin\nbegin\nend\n")
        #expect(!old.contains(where: isAlive))
    }

    /// Guarantee: applied ends it without another start.
    @Test func appliedHookIsDone() async throws {
        let workplace = try await hookPlace("")
        try await killInTheMiddle(workplace)
        #expect(try await workplace.apply().exitCode == 5)
        let ending = try await workplace.muster(
            "resolve", "hook@1", "--tenant", "a", "--applied", "--reason", "seen in the log", "-f", "deploy.json5"
        ).run()
        #expect(ending.code == 0, "\(ending)")
        #expect(ending.output.contains("is done now"), "\(ending)")
        #expect(try await workplace.apply().nothingToDo)
        #expect(try workplace.read("witness") == "begin\n")
        let again = try await workplace.muster(
            "resolve", "hook", "--tenant", "a", "--applied", "--reason", "twice", "-f", "deploy.json5"
        ).run()
        #expect(again.code == 4, "\(again)")
    }

    // MARK: The server works on

    /// One tenant with a script that is not transactional: it notes its beginning, how many of its kind are at work, and
    /// its end. How long it sleeps stands in a table, which is locked meanwhile: that is how others at work are counted.
    private func scriptPlace(_ database: PostgresDatabase, ofItsOwn: Bool, _ runbook: String) async throws -> Workplace
    {
        let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
        let target = ofItsOwn ? "" : "target: { schema: \"public\" }, "
        try workplace.write(
            "slow.sql",
            """
            INSERT INTO public.witness (what, others)
                SELECT 'begin', count(*) FROM pg_locks
                    WHERE relation = 'public.patience'::regclass AND pid <> pg_backend_pid();
            SELECT pg_sleep(seconds) FROM public.patience;
            INSERT INTO public.witness (what) VALUES ('end');
            """)
        try await database.psql(
            """
            CREATE TABLE public.witness (id serial, what text, others int);
            CREATE TABLE public.patience AS SELECT 300 AS seconds;
            """)
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1,
              ledger: { url: \(ofItsOwn ? "\"sqlite:ledger.db\"" : "\"${DATABASE_URL}\"") },
              tenants: { list: [{ id: "a", url: "${DATABASE_URL}" }], \(target)},
              defaults: { lock_wait: "4s" },
              runbooks: [{ id: "slow", sql: "slow.sql", transaction: false\(runbook) }],
            }
            """)
        return workplace
    }

    private func killInTheMiddle(_ workplace: Workplace, _ database: PostgresDatabase, ofItsOwn: Bool) async throws {
        let command = try workplace.muster("apply", "-f", "deploy.json5").start()
        let isUnderWay = try await eventually {
            try await working(database) == ["1"]
        }
        try #require(isUnderWay)
        command.send(SIGKILL)
        #expect(try await command.ending().code == 128 + SIGKILL)
        if ofItsOwn {
            try await SQLiteFile(path: workplace.folder.appending(path: "ledger.db"))
                .sql("UPDATE muster_runners SET heartbeat_at = '2000-01-01T00:00:00.000Z';")
        } else {
            try await database.psql("UPDATE muster.runners SET heartbeat_at = '2000-01-01'")
        }
        try await database.psql("UPDATE public.patience SET seconds = 0")
    }

    private func working(_ database: PostgresDatabase) async throws -> [String] {
        try await database.lines(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(seconds)%' AND state = 'active' AND pid <> pg_backend_pid()"
        )
    }

    /// Guarantee: killed in the middle, it is unknown, and nothing of it runs twice; the server's work is ended before a
    /// person's word counts.
    @Test(.needsPostgres, arguments: [true, false]) func killedScriptIsUnknown(_ ofItsOwn: Bool) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await scriptPlace(database, ofItsOwn: ofItsOwn, "")
            try await killInTheMiddle(workplace, database, ofItsOwn: ofItsOwn)

            for _ in 1...2 {
                let report = try await workplace.apply()
                #expect(report.exitCode == 5, "\(report.failures)")
            }
            #expect(try await database.lines("SELECT what FROM public.witness") == ["begin"])

            let ending = try await workplace.muster(
                "resolve", "slow", "--tenant", "a", "--retry", "--reason", "it began only", "-f", "deploy.json5"
            ).run()
            #expect(ending.code == 0, "\(ending)")
            #expect(try await working(database) == ["0"])
            let report = try await workplace.apply()
            #expect(report.exitCode == 0, "\(report.failures)")
            let lines = try await database.lines("SELECT what, others FROM public.witness ORDER BY id")
            #expect(lines == ["begin|0", "begin|0", "end|"])
        }
    }

    /// Guarantee: with `repeatable` the next apply finishes it, after the old work is gone.
    @Test(.needsPostgres, arguments: [true, false]) func repeatableScriptNeverOverlaps(_ ofItsOwn: Bool) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await scriptPlace(database, ofItsOwn: ofItsOwn, ", repeatable: true")
            try await killInTheMiddle(workplace, database, ofItsOwn: ofItsOwn)
            #expect(try await working(database) == ["1"])

            let report = try await workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures)")
            let lines = try await database.lines("SELECT what, others FROM public.witness ORDER BY id")
            #expect(lines == ["begin|0", "begin|0", "end|"])
            #expect(try await working(database) == ["0"])
        }
    }
}
