import Foundation
import TestSupport
import Testing

/// `muster cancel RUN --tenant …` beside an `apply` of another process.
@Suite struct CancelTenantsTests {
    private struct Answer: Decodable {
        struct Tenant: Decodable {
            var tenant: String
            var result: String
        }
        var cancelled: Bool
        var jobs: Int
        var tenants: [Tenant]?
    }

    private func cancel(_ workplace: Workplace, _ run: String, _ arguments: String...) async throws -> Answer {
        let ending = try await workplace.muster(
            ["cancel", run, "--reason", "its disk is full", "--format", "json"] + arguments
        ).run()
        try #require(ending.code == 0, "\(ending)")
        return try JSONDecoder().decode(Answer.self, from: Data(ending.output.utf8))
    }

    /// Guarantee: of tenants that are cancelled neither one whose lock is waited for nor one that its runner has claimed
    /// begins; in one that is under way nothing more begins. The run goes on with the others, says who was cancelled by
    /// whom, and `retry` does the rest, everything once.
    @Test(.needsPostgres) func runGoesOnWithTheOthers() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            let names = (1...12).map { "t\($0 < 10 ? "0" : "")\($0)" }
            try await database.psql(
                "CREATE TABLE public.gate (x int); CREATE TABLE public.witness (tenant name, runbook text);"
                    + names.map { "CREATE SCHEMA \($0);" }.joined())
            try workplace.write(
                "one.sql",
                """
                DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM public.gate) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;
                INSERT INTO public.witness VALUES (current_schema(), 'one');
                """)
            try workplace.write("two.sql", "INSERT INTO public.witness VALUES (current_schema(), 'two');\n")
            let list = names.map { name in
                #"{ id: "\#(name)", schema: "\#(name)", plan: "\#(("t05"..."t08").contains(name) ? "trial" : "paid")" }"#
            }
            try workplace.write(
                "deploy.json5",
                """
                {
                  manifest: 1, ledger: { url: "${DATABASE_URL}" },
                  tenants: { list: [\(list.joined(separator: ", "))], target: { schema: "{schema}" } },
                  concurrency: { tenants: 2 },
                  runbooks: [{ id: "one", sql: "one.sql" },
                             { id: "two", after: ["one"], transaction: false, sql: "two.sql" }],
                }
                """)
            let key = try await workplace.muster("locks", "key", "t01", "-f", "deploy.json5", "--format", "json")
                .output()
            let document = try JSONSerialization.jsonObject(with: Data(key.utf8)) as? [String: Any]
            let holder = try Command(
                "psql", database.url, "-XqAt", "-c",
                "SELECT pg_advisory_lock(\(try #require(document?["key"] as? Int)))",
                "-c", "SELECT pg_sleep(600)", environment: ["PGAPPNAME": "holder"]
            ).start()
            let held =
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'"
            let isHeld = try await eventually { try await database.lines(held) == ["1"] }
            try #require(isHeld)
            let apply = try workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
            let busy =
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.02)%' AND state = 'active' "
                + "AND pid <> pg_backend_pid() AND datname = current_database()"
            let isBusy = try await eventually { try await database.lines(busy) == ["2"] }
            try #require(isBusy)
            let run = try #require(try await database.lines("SELECT id FROM muster.runs").first)

            let slip = try await workplace.muster("cancel", run, "--tenant", "t00", "-f", "deploy.json5").run()
            #expect(slip.code == 4)
            #expect(slip.errors.contains(#"did you mean "t01"?"#), "\(slip)")
            // t01 waits for its lock, t02 and t03 are under way, the runner has claimed the others.
            let first = try await cancel(workplace, run, "-f", "deploy.json5", "--tenant", "t01", "--tenant", "t02")
            #expect(first.cancelled)
            #expect(first.tenants?.map(\.tenant) == ["t01", "t02"])
            let second = try await cancel(workplace, run, "--ledger", database.url, "--match", "plan=trial")
            #expect(second.tenants?.map(\.tenant) == ["t05", "t06", "t07", "t08"])
            let cancelled = "SELECT string_agg(tenant, ' ' ORDER BY tenant) FROM muster.jobs WHERE state = 'cancelled'"
            #expect(try await eventually { try await database.lines(cancelled) == ["t01 t05 t06 t07 t08"] })
            let again = try await cancel(workplace, run, "--ledger", database.url, "--tenant", "t01", "--tenant", "t02")
            #expect(again.tenants?.map(\.result) == ["ended", "under_way"])
            #expect(again.jobs == 0)
            #expect(try await database.lines("SELECT count(*) FROM muster.events") == ["6"])

            try await database.psql("INSERT INTO public.gate VALUES (1)")
            let ending = try await apply.ending(within: .seconds(60))
            let report = try PrintedReport(ending)

            #expect(ending.code == 3, "\(ending)")
            #expect(report.outcome == "partially_succeeded")
            #expect(report.counts.cancelled == 6)
            #expect(report.counts.succeeded == 6)
            #expect(
                report.notices.contains {
                    $0.hasPrefix("6 tenants were cancelled by ") && $0.hasSuffix("disk is full.")
                },
                "\(report.notices)")
            let witness =
                "SELECT runbook, string_agg(tenant, ' ' ORDER BY tenant) FROM public.witness GROUP BY 1 ORDER BY 1"
            #expect(
                try await database.lines(witness) == [
                    "one|t02 t03 t04 t09 t10 t11 t12", "two|t03 t04 t09 t10 t11 t12",
                ])
            try await database.psql(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'holder'")
            _ = try await holder.ending(within: .seconds(20))
            let rest = try PrintedReport(
                try await workplace.muster("retry", run, "-f", "deploy.json5", "--format", "json").run())
            #expect(rest.exitCode == 0, "\(rest)")
            #expect(rest.counts.succeeded == 6)
            #expect(
                try await database.lines("SELECT count(*), count(DISTINCT (tenant, runbook)) FROM public.witness") == [
                    "24|24"
                ])
        }
    }

    /// Guarantee: a backfill in a file stops at its next batch when its tenant is cancelled, keeps what it has done, and
    /// goes on from there with the next apply; the other tenant is done.
    @Test func backfillStopsAtItsNextBatch() async throws {
        let workplace = try Workplace()
        try workplace.write("tenants/.keep", "")
        for (name, rows) in [("a", 300), ("b", 3)] {
            try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(name).db")).sql(
                """
                CREATE TABLE t (id INTEGER PRIMARY KEY, n INT NOT NULL DEFAULT 0);
                WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < \(rows)) INSERT INTO t (id) SELECT x FROM c;
                """)
        }
        try workplace.write(
            "fill.sql",
            "UPDATE t SET n = n + 1 WHERE id IN (SELECT id FROM t WHERE n = 0 ORDER BY id LIMIT :limit);\n")
        func manifest(_ pause: String) -> String {
            """
            { manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/*.db" },
              runbooks: [{ id: "fill", batch: { sql: "fill.sql", size: 1, target: "1ms", pause: "\(pause)" } }] }
            """
        }
        try workplace.write("deploy.json5", manifest("100ms"))
        let ledger = SQLiteFile(path: workplace.folder.appending(path: "ledger.db"))
        let file = SQLiteFile(path: workplace.folder.appending(path: "tenants/a.db"))
        let apply = try workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        let isUnderWay = try await eventually {
            guard workplace.exists("ledger.db") else { return false }
            let done = try? await ledger.lines("SELECT tenant FROM muster_jobs WHERE state = 'succeeded'")
            return done == ["b"]
        }
        try #require(isUnderWay)
        let run = try #require(try await ledger.lines("SELECT id FROM muster_runs").first)

        let answer = try await cancel(workplace, run, "--ledger", "sqlite:ledger.db", "--tenant", "a", "--tenant", "b")

        #expect(answer.tenants?.map(\.result) == ["under_way", "ended"])
        let ending = try await apply.ending(within: .seconds(60))
        let report = try PrintedReport(ending)
        #expect(report.exitCode == 3, "\(ending)")
        #expect(report.counts.cancelled == 1)
        #expect(report.counts.succeeded == 1)
        let done = Int(try await file.lines("SELECT sum(n) FROM t").first ?? "") ?? 0
        #expect((1..<300).contains(done), "\(done)")
        #expect(try await file.lines("SELECT rows_affected FROM muster_receipts") == ["\(done)"])

        try workplace.write("deploy.json5", manifest("0ms"))
        let next = try await workplace.apply()
        #expect(next.exitCode == 0, "\(next)")
        #expect(try await file.lines("SELECT count(*), min(n), max(n) FROM t") == ["300|1|1"])
    }
}
