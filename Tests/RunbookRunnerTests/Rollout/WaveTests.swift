import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// Runs that go through their tenants in waves.
@Suite struct WaveTests {
    /// The first three tenants are the canary.
    private func waves(_ change: (inout Wave) -> Void = { _ in }) -> [Wave] {
        var canary = Wave(name: "canary", match: ["id": ["t0001", "t0002", "t0003"]])
        change(&canary)
        return [canary, Wave(name: "early", share: .share(0.2)), Wave(name: "everyone")]
    }

    /// Guarantee: no tenant of a wave is touched before every tenant of the wave before it is done; the ledger says which
    /// wave each job is of.
    @Test(.needsPostgres) func wavesComeOneAfterTheOther() async throws {
        try await PostgresServer.withDatabase { url in
            let script = ["INSERT INTO public.touched VALUES (current_schema(), 'r')", "SELECT pg_sleep(0.01)"]
            let manifest = try SchemaTenants.make(
                40, at: url,
                runbooks: [
                    Fleet.runbook("a", script), Fleet.runbook("b", script, after: ["a"]),
                ]
            ) { $0.rollout.waves = waves() }

            async let first = Fleet.apply(manifest)
            async let second = Fleet.apply(manifest)
            let reports = await [first, second]

            #expect(reports.allSatisfy { $0.exitCode == 0 }, "\(reports)")
            let counts = try SchemaTenants.numbers(
                "select count(*) from muster.jobs group by wave order by min(stage)", at: url)
            #expect(counts == [3, 8, 29])
            // When each wave began and ended, by the server's clock.
            let overlaps = try SchemaTenants.numbers(
                """
                with w as (
                    select j.stage, min(e.started_at) as first, max(e.finished_at) as last
                    from muster.jobs j join muster.attempts e on e.tenant = j.tenant group by j.stage)
                select count(*) from w a join w b on b.stage > a.stage and b.first < a.last
                """, at: url)
            #expect(overlaps == [0])
            #expect(try SchemaTenants.numbers("select count(*) from public.touched", at: url) == [80])
        }
    }

    /// Guarantee: a canary wave with one failing tenant and `max_failures: 0` stops the run with zero tenants of the
    /// second wave touched, with one runner and with two.
    @Test(.needsPostgres, arguments: [1, 2]) func failingCanaryStopsTheRun(_ runners: Int) async throws {
        try await PostgresServer.withDatabase { url in
            let script = [
                "INSERT INTO public.touched SELECT current_schema() WHERE 1 / (CASE current_schema() WHEN 't0002' THEN 0 ELSE 1 END) = 1"
            ]
            let manifest = try SchemaTenants.make(
                60, at: url, runbooks: [Fleet.runbook("r", script)]
            ) { $0.rollout.waves = waves { $0.limits.maxFailures = .count(0) } }

            let reports = await withTaskGroup(of: Report.self) { group in
                for _ in 0..<runners { group.addTask { await Fleet.apply(manifest) } }
                return await group.reduce(into: [Report]()) { $0.append($1) }
            }

            for report in reports {
                #expect([1, 3].contains(report.exitCode))
                #expect(
                    report.run?.stopReason == "max_failures 0: 1 tenant of wave canary failed, and none may",
                    "\(report)")
            }
            let beyond = try SchemaTenants.numbers(
                "select count(*) from public.touched where tenant > 't0003'", at: url)
            #expect(beyond == [0])
            let begun = try SchemaTenants.numbers(
                "select count(*) from muster.jobs where wave <> 'canary' and attempt > 0", at: url)
            #expect(begun == [0])
        }
    }

    /// Guarantee: a gate that does not pass stops the run before the next wave, also in the next apply, where the wave
    /// before it has nothing to do any more; one that passes lets it begin.
    @Test(.needsPostgres) func gateStandsBetweenWaves() async throws {
        try await PostgresServer.withDatabase { url in
            let script = ["INSERT INTO public.touched VALUES (current_schema(), 'r')"]
            var gate = Fleet.script("gate.sql", ["SELECT count(*) > 0 FROM public.healthy"])
            gate.path = "sql/gate.sql"
            let manifest = try SchemaTenants.make(
                20, at: url, runbooks: [Fleet.runbook("r", script)]
            ) { $0.rollout.waves = waves { $0.gate = .sql(gate) } }
            let session = try PostgresServer.open(url)
            defer { session.close() }
            try session.run("CREATE TABLE public.healthy (x int)")

            for _ in 0..<2 {
                let report = await Fleet.apply(manifest)
                #expect(
                    report.run?.stopReason
                        == "the gate of wave canary did not pass: sql/gate.sql answered false, not true", "\(report)")
                #expect(report.exitCode == 3)
                #expect(try SchemaTenants.numbers("select count(*) from public.touched", at: url) == [3])
            }

            try session.run("INSERT INTO public.healthy VALUES (1)")
            let last = await Fleet.apply(manifest)
            #expect(last.exitCode == 0, "\(last)")
            #expect(try SchemaTenants.numbers("select count(*) from public.touched", at: url) == [20])
        }
    }

    /// Guarantee: two runners ask a gate once, and what it is told names the wave and the run.
    @Test(.needsPostgres) func gateIsAskedOnce() async throws {
        try await PostgresServer.withDatabase { url in
            try await TemporaryFolder.with { folder in
                let script = ["INSERT INTO public.touched VALUES (current_schema(), 'r')", "SELECT pg_sleep(0.05)"]
                let hook = HookCommand(
                    arguments: [
                        "/bin/sh", "-c", "echo \"$MUSTER_WAVE $MUSTER_RUN_ID\" >> '\(folder.path("asked"))'; sleep 0.3",
                    ], timeout: .seconds(30))
                let manifest = try SchemaTenants.make(
                    20, at: url, runbooks: [Fleet.runbook("r", script)]
                ) { $0.rollout.waves = waves { $0.gate = .exec(hook) } }

                async let first = Fleet.apply(manifest)
                async let second = Fleet.apply(manifest)
                let reports = await [first, second]

                #expect(reports.allSatisfy { $0.exitCode == 0 }, "\(reports)")
                let asked = try String(contentsOfFile: folder.path("asked"), encoding: .utf8)
                #expect(asked == "canary \(reports[0].run?.id ?? reports[1].run?.id ?? "")\n")
            }
        }
    }

    /// Guarantee: a gate that says 75 is asked again until it passes, and within `lock_wait`.
    @Test(.needsPostgres) func gateMaySayLater() async throws {
        try await PostgresServer.withDatabase { url in
            try await TemporaryFolder.with { folder in
                let count = folder.path("count")
                let hook = HookCommand(
                    arguments: ["/bin/sh", "-c", "echo x >> '\(count)'; [ $(wc -l < '\(count)') -ge 3 ] || exit 75"],
                    timeout: .seconds(30))
                let manifest = try SchemaTenants.make(
                    8, at: url, runbooks: [Fleet.runbook("r", ["INSERT INTO public.touched VALUES ('x', 'r')"])]
                ) { $0.rollout.waves = waves { $0.gate = .exec(hook) } }
                let report = await Fleet.apply(manifest)
                #expect(report.exitCode == 0, "\(report)")
                #expect(try String(contentsOfFile: count, encoding: .utf8) == "x\nx\nx\n")
            }
        }
    }

    /// Guarantee: nothing begins while a wave's pause lasts, by the ledger's clock.
    @Test(.needsPostgres) func pauseIsKept() async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try SchemaTenants.make(
                10, at: url, runbooks: [Fleet.runbook("r", ["INSERT INTO public.touched VALUES ('x', 'r')"])]
            ) { $0.rollout.waves = waves { $0.pause = .milliseconds(1200) } }
            let report = await Fleet.apply(manifest)
            #expect(report.exitCode == 0, "\(report)")
            let gap = try SchemaTenants.numbers(
                """
                select (extract(epoch from min(claimed_at) filter (where wave <> 'canary')
                    - max(finished_at) filter (where wave = 'canary')) * 1000)::int from muster.jobs
                """, at: url)
            #expect((gap.first ?? 0) >= 1200, "\(gap)")
        }
    }

    /// Guarantee: a wave's `concurrency` is how many of its tenants are worked on at once.
    @Test(.needsPostgres) func waveHasItsConcurrency() async throws {
        try await PostgresServer.withDatabase { url in
            let script = ["INSERT INTO public.touched VALUES (current_schema(), 'r')", "SELECT pg_sleep(0.05)"]
            let manifest = try SchemaTenants.make(
                16, at: url, runbooks: [Fleet.runbook("r", script)]
            ) {
                $0.rollout.waves = [Wave(name: "one", limit: 6, concurrency: 1), Wave(name: "many")]
                $0.concurrency.tenants = 4
            }
            #expect(await Fleet.apply(manifest).exitCode == 0)
            let atOnce = try SchemaTenants.numbers(
                """
                select max(n) from (
                    select j.wave, count(*) as n from muster.attempts e join muster.jobs j on j.tenant = e.tenant
                    join muster.attempts o on o.started_at < e.finished_at and o.finished_at > e.started_at
                    join muster.jobs k on k.tenant = o.tenant and k.wave = j.wave
                    where j.wave = 'one' group by j.wave, e.tenant) x
                """, at: url)
            #expect(atOnce == [1])
        }
    }

    /// Guarantee: with a barrier each stage goes through the waves: what stands behind the barrier begins in nobody before
    /// everybody has what stands before it.
    @Test(.needsPostgres) func barrierIsForAllWaves() async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try SchemaTenants.make(
                12, at: url,
                runbooks: [
                    Fleet.runbook("a", ["INSERT INTO public.touched VALUES (current_schema(), 'a')"]),
                    Fleet.runbook("b", ["INSERT INTO public.touched VALUES (current_schema(), 'b')"]) {
                        $0.barrier = true
                    },
                ]
            ) { $0.rollout.waves = waves() }
            #expect(await Fleet.apply(manifest).exitCode == 0)
            let early = try SchemaTenants.numbers(
                """
                select count(*) from muster.attempts b join muster.attempts a
                on a.runbook = 'a' and b.runbook = 'b' and b.started_at < a.started_at
                """, at: url)
            #expect(early == [0])
            #expect(try SchemaTenants.numbers("select count(*) from public.touched", at: url) == [24])
        }
    }
}
