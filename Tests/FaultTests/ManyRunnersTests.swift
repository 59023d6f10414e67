import Foundation
import TestSupport
import Testing

/// Several runners on one run, of which some are killed, stopped, or lose the ledger.
@Suite struct ManyRunnersTests {
    /// Guarantee: when one of three runners is killed half-way, the other two finish its jobs without an operator; every
    /// effect happens once, and the run completes once.
    @Test(.needsPostgres) func killedRunnersJobsAreTakenOver() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                300, in: database, runbooks: "{ id: \"slow\", sql: \"slow.sql\" }",
                scripts: ["slow.sql": traced("slow", seconds: 0.04)])
            let runners = try (0..<3).map { _ in try fleet.start() }
            try #require(try await eventually(within: .seconds(60)) { try await fleet.effects() >= 100 })
            runners[1].send(SIGKILL)
            #expect(try await runners[1].ending().code == 128 + SIGKILL)

            for runner in [runners[0], runners[2]] {
                let report = try PrintedReport(try await runner.ending())
                #expect(report.exitCode == 0, "\(report.failures) \(report.notices)")
            }
            #expect(try await fleet.lostAndRepeated(of: 300) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: the successor of a lone runner that was killed does not wait out the whole silence: a runner that is
    /// gone is told from one that is silent.
    @Test(.needsPostgres) func deadRunnerIsKnownSoonerThanASilentOne() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                20, in: database, runbooks: "{ id: \"slow\", sql: \"slow.sql\" }",
                scripts: ["slow.sql": traced("slow", seconds: 0.2)])
            let first = try fleet.start()
            try #require(try await eventually { try await fleet.effects() >= 2 })
            first.send(SIGKILL)
            _ = try await first.ending()

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0)
            #expect(report.run?.joined == true)
            // Only who is known to be gone gets an end; one that is silent loses its jobs and nothing else.
            #expect(try await database.lines("SELECT count(*) FROM muster.runners WHERE ended_at IS NULL") == ["0"])
            #expect(try await fleet.lostAndRepeated(of: 20) == (lost: 0, repeated: 0))
        }
    }

    /// Guarantee: a runner that is stopped for so long that its jobs were taken over writes nothing about them when it
    /// wakes up, says so, and ends as the ledger does.
    @Test(.needsPostgres) func pausedRunnerFindsItselfSuperseded() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                40, in: database, runbooks: "{ id: \"slow\", sql: \"slow.sql\" }",
                scripts: ["slow.sql": traced("slow", seconds: 0.1)])
            let paused = try fleet.start()
            try #require(try await eventually { try await fleet.effects() >= 4 })
            paused.send(SIGSTOP)

            let report = try await fleet.workplace.apply()
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(report.run?.joined == true)
            let written = try await database.lines("SELECT * FROM muster.jobs ORDER BY tenant")

            paused.send(SIGCONT)
            let late = try PrintedReport(try await paused.ending(within: .seconds(60)))
            #expect(late.exitCode == 0, "\(late.failures)")
            #expect(late.notices.contains { $0.contains("taken over") }, "\(late.notices)")
            #expect(try await database.lines("SELECT * FROM muster.jobs ORDER BY tenant") == written)
            #expect(try await fleet.lostAndRepeated(of: 40) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: runners go on when the server of ledger and tenants was restarted under them, cleanly or by a crash;
    /// nothing is lost, nothing happens twice, and nobody has to start them again.
    @Test(.needsPostgres, arguments: ["fast", "immediate"]) func serverRestarts(mode: String) async throws {
        try await PostgresCluster.with { cluster, database in
            let fleet = try await SchemaFleet.make(
                240, in: database, runbooks: "{ id: \"slow\", sql: \"slow.sql\" }",
                scripts: ["slow.sql": traced("slow", seconds: 0.05)])
            let runners = try (0..<3).map { _ in try fleet.start() }
            try #require(
                try await eventually(within: .seconds(60)) {
                    (try? await database.lines("SELECT count(*) FROM muster.runners")) == ["3"]
                })
            for done in [20, 60] {
                try #require(
                    try await eventually(within: .seconds(60)) {
                        guard let effects = try? await fleet.effects() else { return false }
                        return effects >= done
                    })
                try await cluster.restart(mode)
            }
            for runner in runners {
                let report = try PrintedReport(try await runner.ending())
                #expect(
                    report.exitCode == 0, "\(report.failures) \(report.notices) \(String(describing: report.error))")
            }
            #expect(try await fleet.lostAndRepeated(of: 240) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
            let done = try await database.lines(
                "SELECT count(*) FROM muster.known WHERE state = 'succeeded' AND finished_at IS NOT NULL")
            #expect(done == ["240"])
        }
    }

    /// Guarantee: a ledger that is away when apply begins is waited for a while, aloud; when it comes back, all is done.
    @Test(.needsPostgres) func ledgerThatIsAwayAtTheBeginningIsWaitedFor() async throws {
        try await PostgresCluster.with { cluster, database in
            let fleet = try await SchemaFleet.make(
                5, in: database, runbooks: "{ id: \"quick\", sql: \"quick.sql\" }",
                scripts: ["quick.sql": traced("quick")])
            try await cluster.stop("fast")
            let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5").start()
            #expect(try await eventually { try runner.errors.contains("trying again for") })
            try await cluster.start()
            let ending = try await runner.ending()
            #expect(ending.code == 0, "\(ending)")
            #expect(try await fleet.lostAndRepeated(of: 5, "quick") == (lost: 0, repeated: 0))
        }
    }

    /// Guarantee: a ledger that stays away ends the runner with 75 and leaves the run open; the next apply joins it.
    @Test(.needsPostgres) func ledgerThatStaysAwayIsSeventyFive() async throws {
        try await PostgresCluster.with { cluster, database in
            let fleet = try await SchemaFleet.make(
                20, in: database, runbooks: "{ id: \"slow\", sql: \"slow.sql\" }",
                scripts: ["slow.sql": traced("slow", seconds: 0.1)])
            let runner = try fleet.start("--lock-wait", "2s")
            try #require(try await eventually { try await fleet.effects() >= 4 })
            try await cluster.stop("fast")
            let report = try PrintedReport(try await runner.ending(within: .seconds(60)))
            #expect(report.exitCode == 75)
            #expect(report.retryable)
            #expect(report.error?.code == "unreachable")

            try await cluster.start()
            #expect(try await database.lines("SELECT status FROM muster.runs") == ["running"])
            let second = try await fleet.workplace.apply()
            #expect(second.exitCode == 0, "\(second.failures)")
            #expect(second.run?.joined == true)
            #expect(try await fleet.lostAndRepeated(of: 20) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: a run whose runner died after its last work and before its end is closed by the next apply, although
    /// nothing is left to do.
    @Test(.needsPostgres) func runWithoutWorkIsClosed() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await SchemaFleet.make(
                3, in: database, runbooks: "{ id: \"quick\", sql: \"quick.sql\" }",
                scripts: ["quick.sql": traced("quick")])
            #expect(try await fleet.workplace.apply().exitCode == 0)
            // As a kill between the tenant's COMMIT and the job's row leaves it.
            try await database.psql(
                """
                UPDATE muster.runs SET status = 'running', outcome = NULL, finished_at = NULL;
                UPDATE muster.jobs SET state = 'running', finished_at = NULL WHERE tenant = 't0002';
                """)
            let report = try await fleet.workplace.apply()
            #expect(report.exitCode == 0)
            #expect(try await fleet.runs() == ["completed succeeded 0"])
            #expect(try await fleet.lostAndRepeated(of: 3) == (lost: 0, repeated: 0))
        }
    }

    /// Guarantee: the same over SQLite files, where the lock file tells the dead from the silent.
    @Test func killedRunnerOverFilesIsSucceeded() async throws {
        let workplace = try Workplace()
        try FileManager.default.createDirectory(
            at: workplace.folder.appending(path: "tenants"), withIntermediateDirectories: true)
        try await Command(
            "sh", "-ec",
            "for i in $(seq 100 139); do sqlite3 tenants/t$i.db 'CREATE TABLE witness (x)'; done",
            folder: workplace.folder
        ).output()
        try workplace.write(
            "slow.sql",
            """
            INSERT INTO witness VALUES (1);
            CREATE TABLE heavy AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
            SELECT max(i) AS i FROM n;

            """)
        try workplace.write(
            "deploy.json5",
            """
            { manifest: 1, ledger: { url: "sqlite:.muster/ledger.db" }, tenants: { files: "tenants/*.db" },
              concurrency: { tenants: 2 }, runbooks: [{ id: "slow", sql: "slow.sql" }] }
            """)
        let runners = try (0..<2).map { _ in
            try workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        }
        let early = SQLiteFile(path: workplace.folder.appending(path: "tenants/t104.db"))
        let begun = "SELECT count(*) FROM witness"
        try #require(try await eventually(within: .seconds(60)) { try await early.lines(begun) == ["1"] })
        // The one that has jobs: the other may have come too late for any, and nobody need notice its end.
        let ledger = SQLiteFile(path: workplace.folder.appending(path: ".muster/ledger.db"))
        let holder = try await ledger.lines(
            "SELECT n.pid FROM muster_jobs j JOIN muster_runners n ON n.id = j.runner WHERE j.tenant = 't104'")
        let (victims, others) = (
            runners.filter { holder == ["\($0.identifier)"] }, runners.filter { holder != ["\($0.identifier)"] }
        )
        try #require(victims.count == 1 && others.count == 1)
        victims[0].send(SIGKILL)
        _ = try await victims[0].ending()

        let report = try PrintedReport(try await others[0].ending())

        #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
        let effects = try await Command(
            "sh", "-c", "for f in tenants/*.db; do sqlite3 $f 'SELECT count(*) FROM witness'; done | sort | uniq -c",
            folder: workplace.folder
        ).output()
        #expect(effects.split { $0.isWhitespace } == ["40", "1"])
        #expect(try await ledger.lines("SELECT status, outcome FROM muster_runs") == ["completed|succeeded"])
        #expect(try await ledger.lines("SELECT count(*) FROM muster_runners WHERE ended_at IS NULL") == ["0"])
    }
}
