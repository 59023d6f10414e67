import Foundation
import Synchronization
import TestSupport
import Testing

/// Runbooks that touch what is outside of their tenant: nothing else of the workspace runs meanwhile.
@Suite struct SharedRunbookTests {
    /// A script that records when it began and ended, by the server's clock.
    private static func interval(_ runbook: String, seconds: Double) -> String {
        """
        CREATE TEMP TABLE began ON COMMIT DROP AS SELECT clock_timestamp() AS at;
        SELECT pg_sleep(\(seconds));
        INSERT INTO public.intervals SELECT '\(runbook)', current_schema(), at, clock_timestamp() FROM began;

        """
    }

    private final class Flag: Sendable {
        let isUp = Mutex(false)
    }

    /// What overlaps with a shared runbook.
    private static let overlaps = """
        SELECT s.tenant || ' ' || o.runbook || ' ' || o.tenant FROM public.intervals s JOIN public.intervals o
            ON s.runbook = 'shared' AND (o.runbook <> 'shared' OR o.tenant <> s.tenant)
            AND o.began < s.ended AND s.began < o.ended
        """

    private func fleet(
        _ count: Int, in database: PostgresDatabase, runbooks: String, top: String = "", shared: Double = 0.02
    ) async throws -> SchemaFleet {
        try await database.psql(
            "CREATE TABLE public.intervals (runbook text, tenant text, began timestamptz, ended timestamptz)")
        return try await SchemaFleet.make(
            count, in: database, top: top, runbooks: runbooks,
            scripts: [
                "before.sql": Self.interval("before", seconds: 0.01),
                "shared.sql": Self.interval("shared", seconds: shared),
                "behind.sql": Self.interval("behind", seconds: 0.01),
                "stream.sql": Self.interval("stream", seconds: 0.05),
            ])
    }

    private static let three = """
        { id: "before", sql: "before.sql" }, { id: "shared", sql: "shared.sql", shared: true },
        { id: "behind", sql: "behind.sql" }
        """

    /// Guarantee: with two runners of one run nothing overlaps with a shared runbook, every tenant has it once, and what
    /// stands before it is done everywhere before the first begins, also with waves.
    @Test(.needsPostgres, arguments: [false, true]) func nothingElseOfTheRun(hasWaves: Bool) async throws {
        try await PostgresDatabase.with { database in
            let waves = #"rollout: { waves: [{ name: "canary", limit: 2 }, { name: "others" }] },"#
            let fleet = try await fleet(12, in: database, runbooks: Self.three, top: hasWaves ? waves : "")
            let runners = [try fleet.start(), try fleet.start()]
            for runner in runners {
                let report = try PrintedReport(try await runner.ending(within: .seconds(60)))
                #expect(report.exitCode == 0, "\(report)")
            }
            #expect(try await database.lines(Self.overlaps) == [])
            #expect(try await database.lines("SELECT count(*) FROM public.intervals") == ["36"])
            let early = """
                SELECT count(*) FROM public.intervals b, public.intervals s
                WHERE s.runbook = 'shared' AND (
                    b.runbook = 'before' AND b.ended > s.began OR b.runbook = 'behind' AND b.began < s.ended)
                """
            #expect(try await database.lines(early) == ["0"])
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: neither does anything of other runs of the workspace, and a stream of their claims, which does not end
    /// before it, does not starve it.
    @Test(.needsPostgres) func nothingElseOfTheWorkspace() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(
                24, in: database,
                runbooks: """
                    { id: "stream", key: "${ROUND:-0}", sql: "stream.sql" },
                    { id: "shared", sql: "shared.sql", shared: true, phase: "post-deploy" },
                    """)
            let began = "SELECT count(*) > 0 FROM public.intervals"
            let runs = try await withThrowingTaskGroup(of: Int.self) { group in
                let isOver = Flag()
                let workplace = fleet.workplace
                // Two of them, so that one is at work while the other begins anew.
                for tenant in ["t0001", "t0002"] {
                    group.addTask {
                        var round = 0
                        while !isOver.isUp.withLock({ $0 }) {
                            round += 1
                            var stream = workplace.muster(
                                ["apply", "-f", "deploy.json5", "--format", "json", "--phase", "pre-deploy"],
                                "--skip-tenant", tenant)
                            stream.environment["ROUND"] = String(round)
                            let report = try PrintedReport(try await stream.run(limit: .seconds(120)))
                            #expect(report.exitCode == 0, "\(report)")
                        }
                        return round
                    }
                }
                #expect(try await eventually(within: .seconds(60)) { try await database.lines(began) == ["t"] })
                let report = try await fleet.workplace.apply(
                    "--phase", "post-deploy", "--tenant", "t0001", "--tenant", "t0002")
                #expect(report.exitCode == 0, "\(report)")
                isOver.isUp.withLock { $0 = true }
                return try await group.reduce(0, +)
            }

            #expect(runs >= 2)
            #expect(try await database.lines(Self.overlaps) == [])
            #expect(
                try await database.lines("SELECT count(*) FROM public.intervals WHERE runbook = 'shared'") == ["2"])
        }
    }

    /// Guarantee: a killed holder frees the workspace, and the next apply does the rest once.
    @Test(.needsPostgres) func killedHolderFreesTheWorkspace() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(3, in: database, runbooks: Self.three, shared: 1.5)
            let first = try fleet.start()
            let asleep =
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database() AND query LIKE '%shared%'"
            try #require(try await eventually { try await database.lines(asleep) == ["1"] })
            first.send(SIGKILL)
            _ = try await first.ending()

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report)")
            #expect(try await database.lines(Self.overlaps) == [])
            let counts = try await database.lines(
                "SELECT runbook, count(*) FROM public.intervals GROUP BY 1 ORDER BY 1")
            #expect(counts == ["before|3", "behind|3", "shared|3"])
            let locks = try await database.lines(
                """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """)
            #expect(locks == ["0"])
        }
    }

    /// Guarantee: who holds a tenant's lock keeps a shared runbook waiting, for as long as `lock_wait`; then it is blocked.
    @Test(.needsPostgres) func waitsForTheWorkspace() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(
                2, in: database, runbooks: #"{ id: "shared", sql: "shared.sql", shared: true }"#)
            let key = try await fleet.workplace.muster(
                "locks", "key", "t0001", "-f", "deploy.json5", "--format", "json"
            )
            .output()
            let document = try #require(try JSONSerialization.jsonObject(with: Data(key.utf8)) as? [String: Any])
            let workspace = try #require(document["workspace_key"] as? Int)
            let holder = try Command(
                "psql", "-X", "-q", "-c", "SELECT pg_advisory_lock_shared(\(workspace))", "-c", "SELECT pg_sleep(30)",
                database.url
            ).start()
            let held = """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """
            try #require(try await eventually { try await database.lines(held) == ["1"] })

            let report = try await fleet.workplace.apply("--lock-wait", "1s")

            #expect(report.exitCode == 75, "\(report)")
            #expect(report.failures.first?.message == "the workspace's lock was not free within 1s")
            #expect(try await database.lines("SELECT count(*) FROM public.intervals") == ["0"])
            holder.send(SIGKILL)
        }
    }

    /// Guarantee: behind a pooler in transaction mode a shared runbook is refused before anything is touched, and takes the
    /// tenants' `direct_url` where there is one.
    @Test(.needsPostgres, arguments: [false, true]) func needsASession(hasDirectURL: Bool) async throws {
        try await Pooler.with(mode: "transaction") { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    3, in: database, url: pooler.url(database),
                    target: hasDirectURL ? "direct_url: \"\(database.url)\"," : "",
                    runbooks: #"{ id: "shared", sql: "shared.sql", shared: true }"#,
                    scripts: ["shared.sql": traced("shared")])
                let report = try await fleet.workplace.apply()
                #expect(report.exitCode == (hasDirectURL ? 0 : 4), "\(report)")
                #expect(report.error?.code == (hasDirectURL ? nil : "pooler"))
                #expect(try await fleet.effects() == (hasDirectURL ? 3 : 0))
            }
        }
    }

    /// Guarantee: the same for programs, scripts outside a transaction and backfills, and for tenants in other databases.
    @Test(.needsPostgres) func everyKindAndPlace() async throws {
        try await PostgresDatabase.with { database in
            try await PostgresDatabase.with { one in
                try await PostgresDatabase.with { two in
                    try await PostgresDatabase.with { three in
                        try await expectAlone(in: [one, two, three], ledger: database)
                    }
                }
            }
        }
    }

    private func expectAlone(in databases: [PostgresDatabase], ledger: PostgresDatabase) async throws {
        func workplace(_ runbooks: String) throws -> Workplace {
            let list = databases.map { "{ id: \"\($0.name)\", url: \"\($0.url)\" }" }
            let workplace = try Workplace(environment: ["LEDGER_URL": ledger.url])
            try workplace.writeProgram(
                "interval",
                """
                #!/bin/sh
                began=$(date +%s.%N)
                sleep "$2"
                echo "$1 $MUSTER_TENANT $began $(date +%s.%N)" >> "$3"
                """)
            try workplace.write("sleep.sql", "SELECT pg_sleep(0.02);\n")
            try workplace.write(
                "deploy.json5",
                """
                {
                  manifest: 1, ledger: { url: "${LEDGER_URL}" }, tenants: { list: [\(list.joined(separator: ", "))] },
                  runbooks: [\(runbooks)],
                }
                """)
            return workplace
        }
        let trace = FileManager.default.temporaryDirectory.appending(path: "muster-\(ledger.name)").path
        defer { try? FileManager.default.removeItem(atPath: trace) }
        let stream = try workplace(
            (1...6).map { #"{ id: "s\#($0)", exec: ["./interval", "stream", "0.15", "\#(trace)"] }"# }
                .joined(separator: ", "))
        let shared = try workplace(
            """
            { id: "one", shared: true, exec: ["./interval", "shared", "0.05", "\(trace)"] },
            { id: "two", shared: true, transaction: false, sql: "sleep.sql" },
            { id: "three", shared: true, sql: "sleep.sql" },
            """)
        let first = try stream.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        try #require(try await eventually { FileManager.default.fileExists(atPath: trace) })
        let report = try await shared.apply(limit: .seconds(60))
        #expect(report.exitCode == 0, "\(report)")
        let other = try PrintedReport(try await first.ending(within: .seconds(60)))
        #expect(other.exitCode == 0, "\(other)")

        let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: " ")
        }
        #expect(lines.count == 21)
        let intervals = lines.map { (name: $0[0], began: Double($0[2]) ?? 0, ended: Double($0[3]) ?? 0) }
        for (index, one) in intervals.enumerated() where one.name == "shared" {
            for (other, two) in intervals.enumerated() where other != index {
                #expect(two.ended < one.began || one.ended < two.began, "\(one) \(two)")
            }
        }
    }

    /// Guarantee: SQLite tenants, too: while a shared runbook is under way in one file nothing runs in another.
    @Test func filesToo() async throws {
        let workplace = try Workplace()
        for number in 1...6 {
            try workplace.write("tenants/t\(number).db", "")
            try await Command("sqlite3", "tenants/t\(number).db", "CREATE TABLE own (x)", folder: workplace.folder)
                .output()
        }
        try workplace.writeProgram(
            "interval",
            """
            #!/bin/sh
            began=$(date +%s.%N)
            sleep "$2"
            echo "$1 $MUSTER_TENANT $began $(date +%s.%N)" >> trace.txt
            """)
        try workplace.write("script.sql", "CREATE TABLE done (x);\n")
        let programs = (1...4).map { #"{ id: "s\#($0)", exec: ["./interval", "stream", "0.1"] }"# }
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/*.db" },
              runbooks: [
                \(programs.joined(separator: ", ")),
                { id: "shared", phase: "post-deploy", shared: true, exec: ["./interval", "shared", "0.05"] },
                { id: "script", phase: "post-deploy", shared: true, sql: "script.sql" },
              ],
            }
            """)
        let first = try workplace.muster("apply", "-f", "deploy.json5", "--phase", "pre-deploy", "--format", "json")
            .start()
        try #require(try await eventually { workplace.exists("trace.txt") })
        let runners = try (1...2).map { _ in
            try workplace.muster("apply", "-f", "deploy.json5", "--phase", "post-deploy", "--format", "json").start()
        }
        for runner in runners + [first] {
            let report = try PrintedReport(try await runner.ending(within: .seconds(60)))
            #expect(report.exitCode == 0, "\(report)")
        }
        let intervals = try workplace.read("trace.txt").split(separator: "\n").map { $0.split(separator: " ") }
            .map { (name: $0[0], began: Double($0[2]) ?? 0, ended: Double($0[3]) ?? 0) }
        #expect(intervals.count == 30)
        for (index, one) in intervals.enumerated() where one.name == "shared" {
            for (other, two) in intervals.enumerated() where other != index {
                #expect(two.ended < one.began || one.ended < two.began, "\(one) \(two)")
            }
        }
    }
}
