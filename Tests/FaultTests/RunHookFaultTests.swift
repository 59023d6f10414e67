import Foundation
import TestSupport
import Testing

/// Runners that are killed or stopped while a hook around the run or a tenant is under way.
@Suite struct RunHookFaultTests {
    /// A hook that hangs when it is started first, and passes when it is started again. It says which of its starts are
    /// alive when it begins.
    private static let hook = """
        #!/bin/sh
        if [ -e "began-$MUSTER_HOOK" ]; then
            # A zombie, which nobody has waited for, does nothing any more.
            state=$(sed -n 's/^State:[[:space:]]*\\(.\\).*/\\1/p' "/proc/$(cat "began-$MUSTER_HOOK")/status" 2> state.txt)
            case "$state" in '' | Z | X) ;; *) echo "beside the first: $state" >> trace.txt ;; esac
            echo "again $MUSTER_ATTEMPT $MUSTER_OUTCOME" >> trace.txt
            exit 0
        fi
        echo "first $MUSTER_ATTEMPT $MUSTER_OUTCOME" >> trace.txt
        echo $$ > "began-$MUSTER_HOOK.new" && mv "began-$MUSTER_HOOK.new" "began-$MUSTER_HOOK"
        exec sleep 30
        """

    private func fleet(_ count: Int = 6, in database: PostgresDatabase, hooks: String) async throws -> SchemaFleet {
        try await SchemaFleet.make(
            count, in: database, top: "hooks: { \(hooks) },", runbooks: "{ id: \"r\", sql: \"r.sql\" }",
            scripts: ["r.sql": traced("r"), "hook": Self.hook])
    }

    private func trace(_ fleet: SchemaFleet) throws -> [String] {
        try fleet.workplace.read("trace.txt").split(separator: "\n").map(String.init)
    }

    private func isAlive(_ fleet: SchemaFleet, _ hook: String) throws -> Bool {
        let process = try fleet.workplace.read("began-\(hook)").trimmingCharacters(in: .whitespacesAndNewlines)
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return false }
        return !status.contains("State:\tZ") && !status.contains("State:\tX")
    }

    /// Guarantee: after kill -9 in the middle of `before_run` nothing is touched; the next apply joins the run, ends what
    /// is left of the hook, starts it again, and goes on.
    @Test(.needsPostgres) func runnerKilledInBeforeRun() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(in: database, hooks: #"before_run: ["./hook"]"#)
            let first = try fleet.start()
            try #require(try await eventually { fleet.workplace.exists("began-before_run") })
            first.send(SIGKILL)
            _ = try await first.ending()
            #expect(try await fleet.effects() == 0)
            #expect(try await fleet.runs() == ["running - 6"])

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report)")
            #expect(report.run?.joined == true)
            #expect(try trace(fleet) == ["first 1 ", "again 2 "])
            #expect(try !isAlive(fleet, "before_run"))
            #expect(report.hooks.map(\.attempts) == [2])
            #expect(try await fleet.lostAndRepeated(of: 6) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: of two runners one starts `before_run`, and the other waits; when the first is killed in the middle, the
    /// other takes it over.
    @Test(.needsPostgres, arguments: [false, true]) func twoRunnersStartBeforeRunOnce(isKilled: Bool) async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(in: database, hooks: #"before_run: ["./hook"]"#)
            if !isKilled {
                try fleet.workplace.writeProgram(
                    "hook",
                    "#!/bin/sh\necho once >> trace.txt; touch began-before_run; while [ ! -e go ]; do sleep 0.05; done\n"
                )
            }
            let first = try fleet.start()
            try #require(try await eventually { fleet.workplace.exists("began-before_run") })
            let second = try fleet.start()
            try #require(
                try await eventually {
                    try await database.lines("SELECT count(*) FROM muster.runners WHERE ended_at IS NULL") == ["2"]
                })
            #expect(try await fleet.effects() == 0)
            if isKilled {
                first.send(SIGKILL)
                _ = try await first.ending()
            } else {
                try fleet.workplace.write("go", "")
                let report = try PrintedReport(try await first.ending(within: .seconds(60)))
                #expect(report.exitCode == 0, "\(report)")
            }

            let report = try PrintedReport(try await second.ending(within: .seconds(60)))

            #expect(report.exitCode == 0, "\(report)")
            #expect(try trace(fleet) == (isKilled ? ["first 1 ", "again 2 "] : ["once"]))
            #expect(try await fleet.lostAndRepeated(of: 6) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: an `after_run` whose runner was killed is started again by the next apply, which has nothing else to
    /// do; then it is over. The run's outcome is the one it had.
    @Test(.needsPostgres) func runnerKilledInAfterRun() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(in: database, hooks: #"after_run: ["./hook"]"#)
            let first = try fleet.start()
            try #require(try await eventually { fleet.workplace.exists("began-after_run") })
            first.send(SIGKILL)
            _ = try await first.ending()
            #expect(try await fleet.runs() == ["completed succeeded 0"])
            let run = try await database.lines("SELECT id FROM muster.runs")

            // The killed runner counts as alive for a while.
            var report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report)")
            #expect(report.run == nil)
            #expect(report.hooks.map(\.attempts) == [2])
            #expect(report.hooks.map(\.runId) == run)
            #expect(try trace(fleet) == ["first 1 succeeded", "again 2 succeeded"])
            #expect(try !isAlive(fleet, "after_run"))
            report = try await fleet.workplace.apply()
            #expect(report.nothingToDo && report.hooks.isEmpty)
            #expect(try trace(fleet).count == 2)
            #expect(try await fleet.lostAndRepeated(of: 6) == (lost: 0, repeated: 0))
        }
    }

    /// Guarantee: a runner killed between the end of the run and its `after_run` leaves it to the next apply, with the
    /// same manifest; with another one it is reported, not guessed.
    @Test(.needsPostgres, .needsFailpoints, arguments: [false, true]) func runnerKilledBeforeAfterRun(isChanged: Bool)
        async throws
    {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(in: database, hooks: #"after_run: ["./hook"]"#)
            try fleet.workplace.writeProgram("hook", "#!/bin/sh\necho \"$MUSTER_OUTCOME\" >> trace.txt\n")
            var killed = fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "json")
            killed.environment["MUSTER_FAILPOINTS"] = "take_hook.before=kill@1"
            #expect(try await killed.run().isKilled)
            #expect(!fleet.workplace.exists("trace.txt"))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
            if isChanged {
                try fleet.workplace.write(
                    "deploy.json5",
                    fleet.workplace.read("deploy.json5").replacing("{ id: \"r\",", with: "{ id: \"r\", key: \"2\","))
                // Only a run that no living runner works on is left behind.
                try await database.psql("UPDATE muster.runners SET ended_at = now()")
            }

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report)")
            #expect(try trace(fleet) == ["succeeded"])
            #expect(try await database.lines("SELECT count(*) FROM muster.runs WHERE hooks_due") == ["0"])
            #expect(report.notices.contains { $0.contains("were not started") } == isChanged, "\(report.notices)")
            let dropped = try await database.lines("SELECT count(*) FROM muster.events WHERE kind = 'hook_dropped'")
            #expect(dropped == [isChanged ? "1" : "0"])
        }
    }

    /// Guarantee: a signal ends the group of a hook within the grace. Before the run it stays open, and nothing is
    /// touched; behind it the next apply starts the hook again.
    @Test(.needsPostgres, arguments: ["before_run", "after_run"]) func signalEndsTheHook(_ hook: String) async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(in: database, hooks: "\(hook): [\"./hook\"]")
            let runner = try fleet.start("--grace", "200ms")
            try #require(try await eventually { fleet.workplace.exists("began-\(hook)") })
            runner.send(SIGTERM)
            let stopped = try PrintedReport(try await runner.ending(within: .seconds(30)))

            #expect(stopped.exitCode == 143, "\(stopped)")
            #expect(try !isAlive(fleet, hook))
            #expect(stopped.hooks.map(\.state) == ["interrupted"])
            let isBefore = hook == "before_run"
            #expect(try await fleet.runs() == [isBefore ? "running - 6" : "completed succeeded 0"])
            #expect(try await fleet.effects() == (isBefore ? 0 : 6))

            let report = try await fleet.workplace.apply()
            #expect(report.exitCode == 0, "\(report)")
            #expect(try trace(fleet).count == 2)
            #expect(try await fleet.lostAndRepeated(of: 6) == (lost: 0, repeated: 0))
            #expect(try await fleet.runs() == ["completed succeeded 0"])
        }
    }

    /// Guarantee: after kill -9 in the middle of `before_tenant` what is left of it is ended before it is started again.
    @Test(.needsPostgres) func runnerKilledInBeforeTenant() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(
                1, in: database, hooks: #"before_tenant: ["./hook"], after_tenant: ["./after"]"#)
            try fleet.workplace.writeProgram("after", "#!/bin/sh\necho \"after $MUSTER_OUTCOME\" >> trace.txt\n")
            let first = try fleet.start()
            try #require(try await eventually { fleet.workplace.exists("began-before_tenant") })
            first.send(SIGKILL)
            _ = try await first.ending()
            #expect(try await fleet.effects() == 0)

            let report = try await fleet.workplace.apply()

            #expect(report.exitCode == 0, "\(report)")
            #expect(try trace(fleet) == ["first 1 ", "again 2 ", "after succeeded"])
            #expect(try !isAlive(fleet, "before_tenant"))
            #expect(try await fleet.lostAndRepeated(of: 1) == (lost: 0, repeated: 0))
        }
    }

    /// Guarantee: a hook behind the work that fails makes both runners of the run say so.
    @Test(.needsPostgres) func bothRunnersReportAFailedAfterRun() async throws {
        try await PostgresDatabase.with { database in
            let fleet = try await fleet(20, in: database, hooks: #"after_run: ["./hook"]"#)
            try fleet.workplace.write("r.sql", traced("r", seconds: 0.2))
            try fleet.workplace.writeProgram(
                "hook", "#!/bin/sh\necho once >> trace.txt; sleep 0.5; exit 7\n")
            let runners = [try fleet.start(), try fleet.start()]
            for runner in runners {
                let report = try PrintedReport(try await runner.ending(within: .seconds(60)))
                #expect(report.exitCode == 3, "\(report)")
                #expect(report.outcome == "succeeded")
                #expect(report.hooks.map(\.exitCode) == [7])
            }
            #expect(try trace(fleet) == ["once"])
        }
    }
}
