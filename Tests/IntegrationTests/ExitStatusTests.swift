import Foundation
import TestSupport
import Testing

/// The number a pipeline branches on, each through the built program.
@Suite struct ExitStatusTests {
    /// Tenants a, b and c as SQLite files, one runbook whose script and extras are given.
    private func workplace(
        script: String = "CREATE TABLE t (x);", extras: String = "", runbooks: String? = nil
    ) async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write("script.sql", script + "\n")
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1,
              ledger: { url: "sqlite:.muster/ledger.db" },
              tenants: { files: "tenants/*.db" },
              concurrency: { tenants: 1 },
              runbooks: [\(runbooks ?? "{ id: \"one\", sql: \"script.sql\", \(extras) }")],
            }
            """)
        try await Command(
            "sh", "-ec", "mkdir tenants; for t in a b c; do sqlite3 tenants/$t.db 'CREATE TABLE old (x)'; done",
            folder: workplace.folder
        ).output()
        return workplace
    }

    private func code(_ arguments: String..., in workplace: Workplace) async throws -> Int32 {
        try await workplace.muster(arguments, "-f", "deploy.json5").run().code
    }

    /// Guarantee: 0 when everything is done, again when there is nothing to do, and for every question.
    @Test func doneIsZero() async throws {
        let workplace = try await workplace()
        #expect(try await code("validate", in: workplace) == 0)
        #expect(try await code("plan", in: workplace) == 0)
        #expect(try await code("apply", in: workplace) == 0)
        #expect(try await code("apply", in: workplace) == 0)
        #expect(try await code("plan", "--exit-code", in: workplace) == 0)
        #expect(try await code("check", "one@1", "--all-tenants", in: workplace) == 0)
        #expect(try await code("status", in: workplace) == 0)
    }

    /// Guarantee: 1 when no tenant completed.
    @Test func failedEverywhereIsOne() async throws {
        let workplace = try await workplace(script: "CREATE TABLE old (x);")
        #expect(try await code("apply", in: workplace) == 1)
        #expect(try await code("check", "one@1", "--all-tenants", in: workplace) == 1)
    }

    /// Guarantee: 2 only when asked with `--exit-code`.
    @Test func pendingIsTwoWhenAsked() async throws {
        let workplace = try await workplace()
        #expect(try await code("plan", "--exit-code", in: workplace) == 2)
        #expect(try await code("plan", in: workplace) == 0)
    }

    /// Guarantee: 3 when some tenants are done and some are not.
    @Test func someDoneIsThree() async throws {
        let workplace = try await workplace()
        try await SQLiteFile(path: workplace.folder.appending(path: "tenants/b.db")).sql("CREATE TABLE t (y)")
        #expect(try await code("apply", in: workplace) == 3)
        #expect(try await code("check", "one@1", "--all-tenants", in: workplace) == 3)
    }

    /// Guarantee: 4 for a manifest that is not valid, names that do not exist, a script changed after it ran, and a set of
    /// tenants that is not as expected; nothing is touched.
    @Test func refusedIsFour() async throws {
        let workplace = try await workplace()
        #expect(try await code("apply", "--tenant", "nobody", in: workplace) == 4)
        #expect(try await code("apply", "--runbook", "nothing", in: workplace) == 4)
        #expect(try await code("apply", "--expect-tenants", "4", in: workplace) == 4)
        #expect(!workplace.exists(".muster/ledger.db"))

        #expect(try await code("apply", in: workplace) == 0)
        try workplace.write("script.sql", "CREATE TABLE other (x);\n")
        let report = try await workplace.apply()
        #expect(report.exitCode == 4)
        #expect(!report.ok)

        try workplace.write("deploy.json5", "{ manifest: 1, runbooks: [ { id: \"one\", sqll: \"script.sql\" } ] }")
        #expect(try await code("validate", in: workplace) == 4)
        #expect(try await code("apply", in: workplace) == 4)
        #expect(try await code("plan", in: workplace) == 4)
    }

    /// Guarantee: 4 for a ledger that a newer program has made; nothing is touched, and no question is answered from it.
    @Test func newerLedgerIsFour() async throws {
        let workplace = try await workplace()
        #expect(try await code("apply", "--tenant", "a", in: workplace) == 0)
        try await SQLiteFile(path: workplace.folder.appending(path: ".muster/ledger.db"))
            .sql("UPDATE muster_ledger SET version = 99")
        for arguments in [["apply"], ["plan"], ["status"], ["check", "one@1", "--all-tenants"], ["ledger", "repair"]] {
            let ending = try await workplace.muster(arguments, "-f", "deploy.json5").run()
            #expect(ending.code == 4, "\(arguments): \(ending)")
            #expect((ending.output + ending.errors).contains("Use a newer muster"), "\(arguments): \(ending)")
        }
        let tables = try await SQLiteFile(path: workplace.folder.appending(path: "tenants/b.db")).lines(".tables")
        #expect(tables == ["old"])
    }

    /// Guarantee: a script changed after it ran is refused by runbook, however many tenants have it.
    @Test func driftIsToldByRunbook() async throws {
        let workplace = try await workplace(
            runbooks: #"{ id: "one", sql: "script.sql" }, { id: "two", match: { id: ["b"] }, sql: "two.sql" }"#)
        try workplace.write("two.sql", "CREATE TABLE two (x);\n")
        #expect(try await code("apply", in: workplace) == 0)
        try workplace.write("script.sql", "CREATE TABLE other (x);\n")
        let report = try await workplace.apply()
        #expect(report.exitCode == 4)
        #expect(
            report.error?.message.hasPrefix("1 runbook has changed since being applied: one@1 (3 tenants). Nothing")
                == true,
            "\(report)")
    }

    /// Guarantee: 5 when the end of something was not seen; it is not started again, and 5 stays until a person decides.
    @Test func unknownIsFive() async throws {
        let workplace = try await workplace(runbooks: "{ id: \"slow\", exec: [\"./slow\"], timeout: \"300ms\" }")
        try workplace.writeProgram("slow", "#!/bin/sh\necho \"$MUSTER_TENANT\" >>started\nexec sleep 60\n")
        let report = try await workplace.apply()
        #expect(report.exitCode == 5)
        #expect(report.failures.contains { $0.state == "unknown" })
        let started = try workplace.read("started")

        #expect(try await code("apply", in: workplace) == 5)
        #expect(try await code("check", "slow@1", "--all-tenants", in: workplace) == 5)
        #expect(try workplace.read("started") == started)
    }

    /// Guarantee: 64 for wrong usage, on stderr.
    @Test(arguments: [["frobnicate"], ["apply", "--concurency", "3"], ["apply", "--concurrency", "many"], ["show"]])
    func wrongUsageIsSixtyFour(_ arguments: [String]) async throws {
        let workplace = try Workplace()
        let ending = try await workplace.muster(arguments).run()
        #expect(ending.code == 64)
        #expect(ending.output.isEmpty)
        #expect(!ending.errors.isEmpty)
    }

    /// Guarantee: 75 when the ledger cannot be reached.
    @Test func unreachableIsSeventyFive() async throws {
        let workplace = try await workplace()
        try workplace.write(
            "deploy.json5",
            (try workplace.read("deploy.json5"))
                .replacing("sqlite:.muster/ledger.db", with: "postgres://nobody@127.0.0.1:1/none"))
        #expect(try await code("plan", in: workplace) == 75)
        let report = try await workplace.apply("--lock-wait", "1s")
        #expect(report.exitCode == 75)
        #expect(report.retryable)
        #expect(report.error?.code == "unreachable")
    }

    /// Guarantee: 75 when somebody else holds a tenant's lock longer than `--lock-wait`; 0 once it is free.
    @Test(.needsPostgres) func lockedIsSeventyFive() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 1, in: database)
            let answer = try await workplace.muster(
                "locks", "key", "tenant-0001", "-f", "deploy.json5", "--format", "json"
            ).output()
            let document = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
            let key = try #require(document?["key"] as? Int)
            let holder = try Command(
                "psql", database.url, "-XqAt", "-c", "SELECT pg_advisory_lock(\(key))", "-c", "SELECT pg_sleep(600)",
                environment: ["PGAPPNAME": "holder"]
            ).start()
            let sleeping =
                "FROM pg_stat_activity WHERE application_name = 'holder' AND datname = current_database() "
                + "AND query LIKE '%pg_sleep%'"
            let isHeld = try await eventually { try await database.lines("SELECT 1 \(sleeping)") == ["1"] }
            try #require(isHeld)

            let report = try await workplace.apply("--lock-wait", "500ms")

            #expect(report.exitCode == 75)
            #expect(report.retryable)
            #expect(report.failures.contains { $0.reason == "lock" })
            // The lock is gone when its server process is, not when the client is.
            try await database.psql("SELECT pg_terminate_backend(pid, 10000) \(sleeping)")
            _ = try await holder.ending(within: .seconds(20))
            #expect(try await workplace.apply().exitCode == 0)
        }
    }

    /// Guarantee: after a signal the work under way ends well, nothing more is begun, the run stays open, and the next
    /// apply joins it and finishes.
    @Test(arguments: [SIGINT, SIGTERM])
    func signalStopsSafely(_ signal: Int32) async throws {
        let code = 128 + signal
        let workplace = try await workplace(runbooks: "{ id: \"slow\", exec: [\"./slow\"], timeout: \"60s\" }")
        try workplace.writeProgram(
            "slow",
            """
            #!/bin/sh
            echo "$MUSTER_TENANT" >>started
            while [ ! -e go ]; do sleep 0.02; done
            echo "$MUSTER_TENANT" >>ended

            """)
        let command = try workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        try #require(try await eventually { workplace.exists("started") }, "the first hook")
        command.send(signal)
        try workplace.write("go", "")

        let ending = try await command.ending(within: .seconds(60))

        #expect(ending.code == code, "\(ending)")
        let report = try PrintedReport(ending)
        #expect(report.exitCode == Int(code))
        #expect(try workplace.read("started") == "a\n")
        #expect(try workplace.read("ended") == "a\n")
        let second = try await workplace.apply()
        #expect(second.exitCode == 0)
        #expect(second.run?.id == report.run?.id)
        #expect(second.run?.joined == true)
        #expect(try workplace.read("ended") == "a\nb\nc\n")
    }
}
