import Foundation
import TestSupport
import Testing

/// Hooks around a run and its tenants, as the built program starts them.
@Suite struct RunHookTests {
    /// A fleet of files whose hooks leave a line each in `trace`.
    private struct HookedFleet {
        let workplace: Workplace

        static func make(
            _ tenants: Int = 3, hooks: String, script: String = "CREATE TABLE done (x);", more: String = "",
            programs: [String: String] = [:], environment: [String: String] = [:]
        ) async throws -> HookedFleet {
            let workplace = try Workplace(environment: environment)
            try workplace.write("r.sql", script)
            try workplace.writeProgram(
                "trace",
                """
                #!/bin/sh
                echo "$MUSTER_HOOK ${MUSTER_TENANT:--} ${MUSTER_OUTCOME:--}" >> trace.txt
                """)
            for (name, text) in programs { try workplace.writeProgram(name, "#!/bin/sh\n" + text) }
            for number in 1...tenants {
                try workplace.write("tenants/t\(number).db", "")
                try await Command(
                    "sqlite3", "tenants/t\(number).db", "CREATE TABLE own (x)", folder: workplace.folder
                ).output()
            }
            try workplace.write(
                "deploy.json5",
                """
                {
                  manifest: 1,
                  ledger: { url: "sqlite:ledger.db" },
                  tenants: { files: "tenants/*.db" },
                  concurrency: { tenants: 2 },
                  defaults: { retries: 1 },
                  hooks: { \(hooks) },
                  \(more)
                  runbooks: [{ id: "r", sql: "r.sql" }],
                }
                """)
            return HookedFleet(workplace: workplace)
        }

        var trace: [String] {
            get throws {
                guard workplace.exists("trace.txt") else { return [] }
                return try workplace.read("trace.txt").split(separator: "\n").map(String.init)
            }
        }

        func ask(_ question: String) async throws -> [String] {
            try await Command("sqlite3", "ledger.db", question, folder: workplace.folder).output()
                .split(separator: "\n").map(String.init)
        }

        func touched() async throws -> Int {
            var count = 0
            for name in try FileManager.default.contentsOfDirectory(atPath: workplace.folder.path + "/tenants")
            where name.hasSuffix(".db") {
                let found = try await Command(
                    "sqlite3", "tenants/\(name)", "SELECT count(*) FROM sqlite_schema WHERE name = 'done'",
                    folder: workplace.folder
                ).output()
                count += Int(found.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
            }
            return count
        }
    }

    private static let all =
        #"before_run: ["./trace"], after_run: ["./trace"], before_tenant: ["./trace"], after_tenant: ["./trace"], on_failure: ["./trace"]"#

    /// Guarantee: each hook is started at its moment; with nothing to do none is, and none by plan or rehearse.
    @Test func eachHookHasItsMoment() async throws {
        let fleet = try await HookedFleet.make(hooks: Self.all)
        for verb in ["validate", "plan", "rehearse"] {
            let ending = try await fleet.workplace.muster(verb, "-f", "deploy.json5").run()
            #expect(ending.code == 0, "\(ending)")
        }
        #expect(try fleet.trace == [])

        let report = try await fleet.workplace.apply()

        #expect(report.exitCode == 0, "\(report)")
        let trace = try fleet.trace
        #expect(trace.first == "before_run - -")
        #expect(trace.last == "after_run - succeeded")
        #expect(trace.count == 8)
        for tenant in ["t1", "t2", "t3"] {
            let own = trace.filter { $0.contains(" \(tenant) ") }
            #expect(own == ["before_tenant \(tenant) -", "after_tenant \(tenant) succeeded"])
        }
        #expect(report.hooks.map(\.hook) == ["before_run", "after_run"])
        #expect(report.hooks.allSatisfy { $0.state == "succeeded" && $0.exitCode == 0 && $0.runId == report.run?.id })
        let again = try await fleet.workplace.apply()
        #expect(again.nothingToDo && again.hooks.isEmpty)
        #expect(try fleet.trace.count == 8)
        let events = try await fleet.ask("SELECT kind, detail FROM muster_events ORDER BY id")
        #expect(
            events == [
                "hook_started|before_run", "hook_succeeded|before_run", "hook_started|after_run",
                "hook_succeeded|after_run",
            ])
    }

    /// Guarantee: a rollback starts them too, and they are told; a shared runbook is undone as any other.
    @Test(arguments: [false, true]) func rollbackIsARunWithHooks(_ isShared: Bool) async throws {
        let fleet = try await HookedFleet.make(
            hooks: Self.all,
            programs: ["trace": #"echo "$MUSTER_HOOK ${MUSTER_TENANT:--} $MUSTER_ROLLBACK" >> trace.txt"#])
        let manifest = try fleet.workplace.read("deploy.json5")
        try fleet.workplace.write(
            "deploy.json5",
            manifest.replacingOccurrences(
                of: #"sql: "r.sql""#, with: #"sql: "r.sql", rollback: "r.down.sql", shared: \#(isShared)"#))
        try fleet.workplace.write("r.down.sql", "DROP TABLE done;")
        #expect(try await fleet.workplace.apply().exitCode == 0)
        #expect(try await fleet.touched() == 3)

        let ending = try await fleet.workplace.muster("rollback", "r", "-f", "deploy.json5", "--yes").run()

        #expect(ending.code == 0, "\(ending)")
        #expect(try await fleet.touched() == 0)
        let trace = try fleet.trace
        #expect(trace.count == 16)
        #expect(trace.prefix(8).allSatisfy { $0.hasSuffix(" 0") })
        #expect(trace.suffix(8).allSatisfy { $0.hasSuffix(" 1") })
        #expect(trace[8] == "before_run - 1" && trace.last == "after_run - 1")
    }

    /// Guarantee: a `before_run` that fails stops the run with nothing touched: it is completed as failed, its jobs are
    /// cancelled, the hooks behind it are started, and the next apply is a new run.
    @Test(arguments: [
        ("echo no; exit 3", 1, "before_run before ended with exit 3"),
        ("sleep 60", 1, "before_run before was ended after its time limit (1s)"),
        ("kill -9 $$", 1, "before_run before was ended by signal 9"),
        ("echo x >> tries; exit 75", 75, "before_run before says try again (exit 75)"),
    ])
    func beforeRunStopsTheRun(_ program: String, _ exit: Int, _ message: String) async throws {
        let fleet = try await HookedFleet.make(
            hooks:
                #"before_run: { exec: ["./before"], timeout: "1s" }, after_run: ["./trace"], before_tenant: ["./trace"], on_failure: ["./trace"]"#,
            programs: ["before": program])

        let report = try await fleet.workplace.apply()

        #expect(report.exitCode == exit, "\(report)")
        #expect(report.outcome == "failed")
        #expect(report.retryable == (exit == 75))
        #expect(report.counts.cancelled == 3)
        #expect(report.hooks.first?.message == message)
        #expect(try fleet.trace == ["on_failure - failed", "after_run - failed"])
        #expect(try await fleet.touched() == 0)
        let runs = try await fleet.ask("SELECT status, outcome, stop_reason FROM muster_runs")
        #expect(runs == ["completed|failed|\(message)"])
        if exit == 75 { #expect(try fleet.workplace.read("tries") == "x\nx\n", "tried again as often as retries says") }

        try fleet.workplace.writeProgram("before", "#!/bin/sh\nexit 0\n")
        let next = try await fleet.workplace.apply()
        #expect(next.exitCode == 0 && next.run?.joined == false && next.run?.id != report.run?.id, "\(next)")
        #expect(try await fleet.touched() == 3)
    }

    /// Guarantee: hooks behind the work that fail are reported and make a 0 a 3; what became of the data stays, and the
    /// next apply has nothing to do.
    @Test(arguments: ["after_run", "after_tenant"]) func failingHooksBehindTheWork(_ hook: String) async throws {
        let fleet = try await HookedFleet.make(
            hooks: #"\#(hook): ["./fail"]"#, programs: ["fail": "echo \"said by $MUSTER_HOOK\" >&2; exit 9\n"])

        let ending = try await fleet.workplace.muster("apply", "-f", "deploy.json5", "--report", "json=r.json").run()

        #expect(ending.code == 3, "\(ending)")
        #expect(ending.output.contains("Hook: \(hook) fail ended with exit 9"), "\(ending)")
        #expect(ending.output.contains("said by \(hook)"))
        let report = try fleet.workplace.read("r.json")
        #expect(report.contains("\"outcome\": \"succeeded\""))
        #expect(report.contains("\"exit_code\": 9"))
        #expect(try await fleet.ask("SELECT outcome FROM muster_runs") == ["succeeded"])
        #expect(try await fleet.ask("SELECT DISTINCT state FROM muster_jobs") == ["succeeded"])
        let next = try await fleet.workplace.apply()
        #expect(next.exitCode == 0 && next.nothingToDo)
    }

    /// Guarantee: where `before_tenant` fails, nothing of that tenant's runbooks runs, and the others go on; its failure
    /// counts where failures stop a run.
    @Test func beforeTenantKeepsItsTenant() async throws {
        let fleet = try await HookedFleet.make(
            4, hooks: #"before_tenant: ["./before"], after_tenant: ["./trace"], on_failure: ["./input"]"#,
            programs: [
                "before": "echo \"not ready\"; [ $MUSTER_TENANT != t2 ]\n",
                "input": "cat > input.json; env | grep ^MUSTER_ | sort > variables.txt\n",
            ])

        let report = try await fleet.workplace.apply()

        #expect(report.exitCode == 3, "\(report)")
        #expect(report.counts.failed == 1 && report.counts.succeeded == 3)
        let failure = try #require(report.failures.first)
        #expect(report.failures.count == 1 && failure.tenant == "t2" && failure.runbook == nil)
        #expect(failure.message == "before_tenant before ended with exit 1")
        #expect(try await fleet.touched() == 3)
        #expect(try fleet.trace.sorted().first == "after_tenant t1 succeeded")
        #expect(try fleet.trace.contains("after_tenant t2 failed"))
        let input = try #require(
            try JSONSerialization.jsonObject(with: Data(fleet.workplace.read("input.json").utf8)) as? [String: Any])
        #expect(input["outcome"] as? String == "partially_succeeded")
        #expect((input["counts"] as? [String: Int])?["failed"] == 1)
        let causes = try #require(input["causes"] as? [[String: Any]])
        #expect(causes.first?["message"] as? String == failure.message)
        #expect(causes.first?["sample_tenants"] as? [String] == ["t2"])
        let variables = try fleet.workplace.read("variables.txt")
        for line in ["MUSTER_HOOK=on_failure", "MUSTER_FAILED=1", "MUSTER_SUCCEEDED=3", "MUSTER_TOTAL=4"] {
            #expect(variables.contains(line + "\n"), "\(variables)")
        }

        try fleet.workplace.writeProgram("before", "#!/bin/sh\nexit 0\n")
        let next = try await fleet.workplace.apply()
        #expect(next.exitCode == 0 && next.failures.isEmpty)
        #expect(try await fleet.touched() == 4)
    }

    /// Guarantee: failures before tenants' work count for `same_error`.
    @Test func beforeTenantStopsTheRun() async throws {
        let fleet = try await HookedFleet.make(
            12, hooks: #"before_tenant: ["false"]"#, more: "rollout: { same_error: 2 },")
        let report = try await fleet.workplace.apply()
        #expect(report.exitCode == 1, "\(report)")
        #expect(report.counts.cancelled > 0)
        #expect(try await fleet.touched() == 0)
    }

    /// Guarantee: a `before_tenant` that says 75 is tried again, and then blocks its tenant: nothing has failed.
    @Test func beforeTenantMaySayLater() async throws {
        let fleet = try await HookedFleet.make(1, hooks: #"before_tenant: ["./later"]"#, programs: ["later": "exit 75"])
        let report = try await fleet.workplace.apply()
        #expect(report.exitCode == 75, "\(report)")
        #expect(report.counts.blocked == 1)
        #expect(try await fleet.touched() == 0)
    }

    /// Guarantee: secrets do not get out of hooks: neither into the report, nor into the ledger, nor onto the terminal.
    @Test func secretsAreMasked() async throws {
        let secret = "open-sesame-17"
        for hook in ["before_run", "after_run", "before_tenant", "after_tenant", "on_failure"] {
            let fleet = try await HookedFleet.make(
                1, hooks: #"\#(hook): ["./leak", "${TOKEN}"]"#,
                script: hook == "on_failure" ? "SELECT 1; nonsense;" : "CREATE TABLE done (x);",
                programs: ["leak": "echo \"token $1\"; exit 4"], environment: ["TOKEN": secret])
            let ending = try await fleet.workplace.muster(
                "apply", "-f", "deploy.json5", "--format", "ndjson", "--report", "json=r.json"
            ).run()
            #expect(ending.code != 0)
            let all = try await fleet.ask("SELECT group_concat(output) FROM muster_hooks")
            #expect(all == ["token ****"], "\(hook)")
            let dump = try await Command("sqlite3", "ledger.db", ".dump", folder: fleet.workplace.folder).output()
            for text in [ending.output, ending.errors, try fleet.workplace.read("r.json"), dump] {
                #expect(!text.contains(secret), "\(hook)")
            }
        }
    }

    /// Guarantee: a run that somebody cancels gets its `after_run` from the runner under way, with that outcome.
    @Test func cancelledRunHasItsAfterRun() async throws {
        let fleet = try await HookedFleet.make(
            3, hooks: #"after_run: ["./trace"], before_tenant: ["./wait"], after_tenant: ["./trace"]"#,
            programs: ["wait": "touch began; while [ ! -e go ]; do sleep 0.05; done"])
        let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5", "--format", "json").start()
        try #require(try await eventually { fleet.workplace.exists("began") })
        let run = try #require(try await fleet.ask("SELECT id FROM muster_runs").first)
        try await fleet.workplace.muster(
            "cancel", run, "--ledger", "sqlite:ledger.db", "--yes", "--reason", "wrong release"
        ).output()
        try fleet.workplace.write("go", "")

        let report = try PrintedReport(try await runner.ending(within: .seconds(60)))

        #expect(report.outcome == "cancelled", "\(report)")
        #expect(try fleet.trace.last == "after_run - cancelled")
        #expect(try await fleet.ask("SELECT hooks_due FROM muster_runs") == ["0"])
    }

    /// Guarantee: a rehearsal starts hooks that declare `dry_run`, says so to them, lists the others, and answers as apply
    /// would.
    @Test(arguments: [0, 4]) func rehearsalStartsDryRuns(_ exit: Int) async throws {
        let fleet = try await HookedFleet.make(
            2,
            hooks:
                #"before_run: { exec: ["./dry"], dry_run: true }, before_tenant: { exec: ["./dry"], dry_run: true }, after_run: ["./trace"]"#,
            programs: ["dry": "echo \"$MUSTER_DRY_RUN $MUSTER_HOOK $MUSTER_TENANT\" >> trace.txt; exit \(exit)"])
        let ending = try await fleet.workplace.muster("rehearse", "-f", "deploy.json5", "--format", "json").run()
        #expect(ending.code == (exit == 0 ? 0 : 1), "\(ending)")
        #expect(try fleet.trace.sorted() == ["1 before_run ", "1 before_tenant t1", "1 before_tenant t2"])
        let report = try #require(
            try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any])
        let hooks = try #require(report["hooks"] as? [[String: Any]])
        let state = exit == 0 ? "would_succeed" : "would_fail"
        #expect(hooks.map { $0["state"] as? String } == [state, state, state, "not_rehearsed"])
        #expect(!fleet.workplace.exists("ledger.db"))
    }

    /// Guarantee: `show` lists the hooks of a run.
    @Test func showListsHooks() async throws {
        let fleet = try await HookedFleet.make(1, hooks: Self.all)
        let run = try #require(try await fleet.workplace.apply().run?.id)
        let text = try await fleet.workplace.muster("show", run, "-f", "deploy.json5").output()
        #expect(text.contains("before_run") && text.contains("after_run"), "\(text)")
    }
}
