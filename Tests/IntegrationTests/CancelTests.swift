import Foundation
import TestSupport
import Testing

/// `muster cancel` beside an `apply` of another process.
@Suite struct CancelTests {
    /// Guarantee: a run is cancelled from another process; the runner begins nothing more, cancels on the server what is
    /// under way past its grace, and ends with what it got done and by whom it was stopped. The next apply is a new run.
    @Test(.needsPostgres) func runningApplyIsCancelled() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql(
                """
                CREATE TABLE public.patience (tenant name, seconds int);
                CREATE TABLE public.witness (tenant name);
                """ + (1...20).map { "CREATE SCHEMA t\($0);" }.joined(separator: "\n")
                    + "INSERT INTO public.patience SELECT 't' || n, CASE WHEN n < 3 THEN 0 ELSE 600 END "
                    + "FROM generate_series(1, 20) n;")
            try workplace.write(
                "slow.sql",
                """
                INSERT INTO public.witness VALUES (current_schema());
                SELECT pg_sleep(seconds) FROM public.patience WHERE tenant = current_schema();
                """)
            try workplace.write(
                "deploy.json5",
                """
                {
                  manifest: 1,
                  ledger: { url: "${DATABASE_URL}" },
                  tenants: { list: [\((1...20).map { "{ id: \"t\($0)\", schema: \"t\($0)\" }" }.joined(separator: ", "))],
                             target: { schema: "{schema}" } },
                  concurrency: { tenants: 3 },
                  runbooks: [{ id: "slow", sql: "slow.sql" }],
                }
                """)
            let apply = try workplace.muster(
                "apply", "-f", "deploy.json5", "--format", "json", "--grace", "1s"
            ).start()
            let isUnderWay = try await eventually {
                try await database.lines(
                    """
                    SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event = 'PgSleep'
                    """) == ["3"]
            }
            try #require(isUnderWay)
            let isWritten = try await eventually {
                try await database.lines("SELECT count(*) FROM muster.jobs WHERE state = 'succeeded'") == ["2"]
            }
            try #require(isWritten)
            let run = try #require(try await database.lines("SELECT id FROM muster.runs").first)

            let cancelled = try await workplace.muster(
                "cancel", run, "-f", "deploy.json5", "--reason", "the wrong release", "--format", "json"
            ).run()

            #expect(cancelled.code == 0, "\(cancelled)")
            #expect(cancelled.output.contains(#""schema": "muster.cancel/1""#), "\(cancelled)")
            #expect(cancelled.output.contains(#""cancelled": true"#), "\(cancelled)")
            #expect(cancelled.output.contains(#""runners": 1"#), "\(cancelled)")
            let ending = try await apply.ending(within: .seconds(60))
            let report = try PrintedReport(ending)
            #expect(ending.code == 3, "\(ending)")
            #expect(report.outcome == "cancelled")
            #expect(report.counts.succeeded == 2)
            #expect(report.counts.cancelled == 18)
            #expect(ending.output.contains(/"stop_reason": "cancelled by [^"]+: the wrong release"/), "\(ending)")
            #expect(ending.errors.contains("The run was cancelled"), "\(ending)")
            #expect(try await database.lines("SELECT count(*) FROM public.witness") == ["2"])
            #expect(
                try await database.lines("SELECT run_id, kind, reason FROM muster.events") == [
                    "\(run)|cancel_run|the wrong release"
                ])

            let again = try await workplace.muster("cancel", run, "-f", "deploy.json5").run()
            #expect(again.code == 0, "\(again)")
            #expect(again.output.contains("had ended already (cancelled)"), "\(again)")
            let unknown = try await workplace.muster("cancel", "01J", "--ledger", database.url).run()
            #expect(unknown.code == 4, "\(unknown)")

            try await database.psql("UPDATE public.patience SET seconds = 0")
            let next = try await workplace.apply()
            #expect(next.exitCode == 0, "\(next.failures)")
            #expect(next.run?.id != run)
            #expect(next.run?.joined == false)
            #expect(next.counts.succeeded == 18)
            #expect(next.counts.skipped == 2)
            #expect(
                try await database.lines("SELECT count(*), count(DISTINCT tenant) FROM public.witness") == ["20|20"])
        }
    }

    /// Guarantee: where tenants are files, what is under way finishes within the grace and nothing more begins; what it
    /// did is found by its receipts and not done again.
    @Test func filesUnderWayFinish() async throws {
        let workplace = try Workplace()
        try workplace.write("tenants/.keep", "")
        for name in ["a", "b", "c", "d", "e", "f"] {
            try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(name).db"))
                .sql("CREATE TABLE t (x);")
        }
        try workplace.writeProgram(
            "hook",
            """
            #!/bin/sh
            echo $MUSTER_TENANT >> begun
            while [ ! -e go ]; do sleep 0.05; done

            """)
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/*.db" },
              concurrency: { tenants: 2 }, runbooks: [{ id: "hook", exec: ["./hook"], timeout: "10m" }],
            }
            """)
        let ledger = SQLiteFile(path: workplace.folder.appending(path: "ledger.db"))
        let apply = try workplace.muster("apply", "-f", "deploy.json5", "--format", "json", "--grace", "5m").start()
        let isUnderWay = try await eventually {
            (try? workplace.read("begun").split(separator: "\n").count) == 2
        }
        try #require(isUnderWay)
        let run = try #require(try await ledger.lines("SELECT id FROM muster_runs").first)

        let cancelled = try await workplace.muster("cancel", run, "--ledger", "sqlite:ledger.db", "--yes").run()

        #expect(cancelled.code == 0, "\(cancelled)")
        #expect(cancelled.output.contains("is cancelled: 0 of 6 tenants done"), "\(cancelled)")
        #expect(try await eventually { try apply.errors.contains("The run was cancelled") })
        try workplace.write("go", "")
        let ending = try await apply.ending(within: .seconds(60))
        let report = try PrintedReport(ending)
        #expect(ending.code == 1, "\(ending)")
        #expect(report.outcome == "cancelled")
        #expect(report.counts.cancelled == 6)
        #expect(try workplace.read("begun").split(separator: "\n").sorted() == ["a", "b"])
        let next = try await workplace.apply()
        #expect(next.exitCode == 0, "\(next.failures)")
        #expect(next.run?.joined == false)
        #expect(
            try workplace.read("begun").split(separator: "\n").sorted() == ["a", "b", "c", "d", "e", "f"])
    }
}
