import DatabaseAccess
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// Runs that a rule stops.
@Suite struct StoppedRunTests {
    /// Guarantee: `same_error` stops a run over 1,000 tenants after that many identical failures and those that were under
    /// way, the reason says so, and the run is complete.
    @Test(.needsPostgres) func sameErrorStopsEarly() async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try SchemaTenants.make(
                1000, at: url, runbooks: [Fleet.runbook("r", SchemaTenants.script(failingWhere: "true"))]
            ) { $0.rollout.limits.sameError = 20 }

            let report = await Fleet.apply(manifest)

            #expect(report.exitCode == 1)
            #expect(report.outcome == .failed)
            #expect((20...20 + manifest.concurrency.tenants).contains(report.counts.failed), "\(report.counts)")
            #expect(report.counts.failed + report.counts.cancelled == 1000)
            #expect(report.counts.processed == 1000)
            #expect(
                report.run?.stopReason == "same_error 20: 20 tenants failed alike: division by zero", "\(report)")
            let runs = try SchemaTenants.numbers(
                "select count(*) from muster.runs where status = 'completed' and stop_reason is not null", at: url)
            #expect(runs == [1])
        }
    }

    /// Guarantee: two runners of a run stop it together, not much later than one alone.
    @Test(.needsPostgres) func twoRunnersStopTogether() async throws {
        try await PostgresServer.withDatabase { url in
            let script = SchemaTenants.script(failingWhere: "true", seconds: 0.02)
            let manifest = try SchemaTenants.make(
                600, at: url, runbooks: [Fleet.runbook("r", script)]
            ) { $0.rollout.limits.sameError = 20 }

            async let first = Fleet.apply(manifest)
            async let second = Fleet.apply(manifest)
            let reports = await [first, second]

            let runs = try SchemaTenants.numbers("select count(*) from muster.runs where status = 'completed'", at: url)
            // The second may come when the first is over; then it makes a run of its own.
            #expect(runs.count == 1 && reports.allSatisfy { $0.run?.stopReason != nil }, "\(reports)")
            let failed = try SchemaTenants.numbers(
                "select count(*) from muster.jobs where state = 'failed' group by run_id", at: url)
            for count in failed { #expect((20...20 + 4 * manifest.concurrency.tenants).contains(count)) }
            let open = try SchemaTenants.numbers(
                "select count(*) from muster.jobs where state in ('queued', 'running')", at: url)
            #expect(open == [0])
        }
    }

    /// Guarantee: `max_failures` lets as many fail as it says; one more stops the run, and the next apply is a new run
    /// that counts from zero and goes on with what is not done.
    @Test(.needsPostgres) func maxFailuresStopsAndTheNextRunGoesOn() async throws {
        try await PostgresServer.withDatabase { url in
            let broken = "current_schema() <= 't0003' AND EXISTS (SELECT FROM public.broken)"
            let manifest = try SchemaTenants.make(
                60, at: url, runbooks: [Fleet.runbook("r", SchemaTenants.script(failingWhere: broken))]
            ) {
                $0.rollout.limits.maxFailures = .count(2)
                $0.concurrency.tenants = 2
            }
            let session = try PostgresServer.open(url)
            defer { session.close() }
            try session.run("CREATE TABLE public.broken (x int); INSERT INTO public.broken VALUES (1)")

            let first = await Fleet.apply(manifest)
            #expect(first.counts.failed == 3)
            // One worker may be through with some while the other has only just connected.
            #expect(first.counts.cancelled > 30, "\(first.counts)")
            #expect(first.run?.stopReason == "max_failures 2: 3 tenants failed, and 2 may")
            #expect([1, 3].contains(first.exitCode))

            let flagged = await Fleet.apply(manifest) { $0.maxFailures = .share(0.05) }
            #expect(flagged.run?.stopReason == nil, "\(flagged)")
            #expect(flagged.run?.id != first.run?.id)
            #expect(flagged.counts.failed == 3)
            #expect(flagged.exitCode == 3)

            try session.run("DROP TABLE public.broken; CREATE VIEW public.broken AS SELECT WHERE false")
            let last = await Fleet.apply(manifest)
            #expect(last.exitCode == 0, "\(last)")
            #expect(try SchemaTenants.numbers("select count(*) from public.touched", at: url) == [60])
        }
    }

    /// Guarantee: a run that was stopped, and whose runner died before its end, is brought to its end by the next apply,
    /// which makes a run of its own.
    @Test(.needsPostgres) func deadRunnersStoppedRunIsClosed() async throws {
        try await PostgresServer.withDatabase { url in
            let manifest = try SchemaTenants.make(
                5, at: url, runbooks: [Fleet.runbook("r", SchemaTenants.script(failingWhere: "true"))]
            ) { $0.rollout.limits.maxFailures = .count(0) }
            let first = await Fleet.apply(manifest)
            let session = try PostgresServer.open(url)
            defer { session.close() }
            // As it stands when the runner dies between the rule and the end.
            try session.run(
                """
                UPDATE muster.runs SET status = 'running', outcome = NULL, finished_at = NULL;
                UPDATE muster.jobs SET state = 'queued', finished_at = NULL WHERE state = 'cancelled'
                """)

            let second = await Fleet.apply(manifest)

            #expect(second.run?.id != first.run?.id)
            #expect(second.run?.joined == false)
            #expect(second.counts.total == 5)
            let open = try SchemaTenants.numbers(
                "select count(*) from muster.runs where status <> 'completed'", at: url)
            #expect(open == [0])
        }
    }
}
