import Foundation
import Reporting
import RunbookModel

/// One of each answer, as large as is needed to see every part of its text.
enum AnswerSamples {
    private static let start = Date(timeIntervalSince1970: 1_767_225_600)
    private static let initiator = Initiator(kind: "ci", name: "octo", url: "https://ci.example/7")

    private static func counts(_ states: [JobState: Int]) -> JobCounts {
        var counts = JobCounts()
        for (state, count) in states { counts.add(state, count) }
        return counts
    }

    private static let failure = Failure(
        tenant: "acme\n", runbook: "columns", key: "1", state: "failed", clean: true, sqlstate: "23505",
        message: "duplicate key value violates unique constraint \"findings_pkey\"",
        detail: "Key (id)=(1) already exists.", hint: "Remove the duplicate rows first.", file: "sql/001_columns.sql",
        line: 12, statement: "INSERT INTO findings (id)\nSELECT 1", attempts: 3)

    private static let run = RunRecord(
        id: "01J", identity: "sha256:1", workspace: "default", phase: "pre-deploy", status: .completed,
        outcome: .partiallySucceeded, counts: counts([.succeeded: 9, .failed: 1]), release: "v42", revision: "abc",
        manifestDigest: "sha256:2", door: "cli", initiator: initiator, startedAt: start,
        finishedAt: start.addingTimeInterval(5.25), stopReason: nil)

    private static func report(
        _ exit: ExitStatus, _ outcome: RunOutcome, _ counts: [JobState: Int], failures: [Failure] = [],
        causes: [Cause] = [], notices: [String] = [], error: ReportError? = nil, nothingToDo: Bool = false,
        next: String? = nil, own: JobState? = nil
    ) -> RunAnswer {
        var report = Report(
            command: "apply", ok: exit == .done, exitCode: Int(exit.rawValue), outcome: outcome,
            nothingToDo: nothingToDo, retryable: exit == .tryAgain, workspace: "default", phase: nil,
            run: nothingToDo
                ? nil : .init(id: "01J", identity: "sha256:1", release: nil, joined: false, initiator: initiator),
            counts: Self.counts(counts),
            runbooks: (1...3).map { .init(id: "r\($0)", key: "1", checksum: "sha256:3", counts: Self.counts(counts)) },
            failures: failures, causes: causes, notices: notices, error: error, next: next, startedAt: start,
            finishedAt: start.addingTimeInterval(5.12), durationMS: 5120)
        guard let own else { return RunAnswer(report) }
        report.runbooks.append(.init(id: "own", key: "1", checksum: "sha256:4", counts: Self.counts([own: 1])))
        return RunAnswer(report, workspaceRunbooks: ["own"])
    }

    private static var partial: RunAnswer {
        let cause = Cause(
            count: 2, runbook: "columns", sqlstate: "23505", message: failure.message, file: failure.file,
            line: failure.line, sampleTenants: ["acme\n", "日本"])
        var blocked = failure
        (blocked.state, blocked.reason, blocked.message) = ("blocked", .lock, "the lock was not free within 5 min")
        (blocked.file, blocked.line, blocked.sqlstate, blocked.statement) = (nil, nil, nil, nil)
        let lockCause = Cause(
            count: 1, runbook: "columns", sqlstate: nil, message: blocked.message, file: nil, line: nil,
            sampleTenants: ["globex"])
        return report(
            .partial, .partiallySucceeded, [.succeeded: 992, .skipped: 5, .failed: 2, .blocked: 1],
            failures: [failure, failure, blocked], causes: [cause, lockCause], notices: ["3 tenants are new."],
            next: "muster apply -f deploy.json5")
    }

    private static var plan: PlanReport {
        var columns = PlanReport.DecisionCounts()
        (columns.run, columns.done) = (3, 197)
        var index = PlanReport.DecisionCounts()
        (index.run, index.blocked, index.done) = (2, 1, 197)
        func runbook(_ id: String, _ counts: PlanReport.DecisionCounts) -> PlanReport.PlannedRunbook {
            .init(
                id: id, key: "1", title: nil, phase: "pre-deploy", scope: .tenant, kind: "sql", transaction: true,
                file: "sql/\(id).sql", checksum: "sha256:3", counts: counts)
        }
        return PlanReport(
            workspace: "default", digest: "sha256:2", tenantCount: 200, pending: 5,
            runbooks: [runbook("columns", columns), runbook("index", index)],
            tenants: [
                .init(
                    tenant: "acme",
                    steps: [
                        .init(runbook: "columns", key: "1", decision: .run),
                        .init(runbook: "index", key: "1", decision: .blocked, reason: "columns@1 failed before"),
                    ]),
                .init(tenant: "globex", steps: [.init(runbook: "columns", key: "1", decision: .run)]),
            ], next: "muster apply -f deploy.json5")
    }

    private static var status: StatusReport {
        var done = StatusReport.StateCounts()
        done.done = 200
        var behind = StatusReport.StateCounts()
        (behind.done, behind.pending, behind.failed) = (198, 1, 1)
        var acme = StatusReport.StateCounts()
        (acme.done, acme.failed) = (1, 1)
        var whole = StatusReport.StateCounts()
        whole.done = 2
        return StatusReport(
            workspace: "default", asOf: start, tenantCount: 200,
            runbooks: [
                .init(id: "columns", key: "1", title: nil, phase: "pre-deploy", scope: .tenant, counts: done),
                .init(id: "index", key: "1", title: nil, phase: "pre-deploy", scope: .tenant, counts: behind),
            ],
            tenants: [.init(tenant: "日本\u{1B}[2J", counts: acme), .init(tenant: "globex", counts: whole)], run: run)
    }

    static let all: [(name: String, answer: any TextAnswer)] =
        [
            ("apply-succeeded", report(.done, .succeeded, [.succeeded: 200])),
            ("apply-nothing-to-do", report(.done, .succeeded, [.skipped: 200], nothingToDo: true)),
            ("apply-partial", partial),
            (
                "apply-workspace",
                report(.partial, .partiallySucceeded, [.succeeded: 19, .failed: 1], own: .blocked)
            ),
            ("apply-failed", report(.failed, .failed, [.failed: 12], next: "muster apply")),
            ("apply-blocked", report(.tryAgain, .blocked, [.blocked: 3, .succeeded: 1], next: "muster apply")),
            ("apply-undecided", report(.undecided, .partiallySucceeded, [.succeeded: 9, .unknown: 1])),
            (
                "apply-interrupted",
                report(.interrupted, .partiallySucceeded, [.succeeded: 412, .queued: 588], next: "muster apply")
            ),
            (
                "apply-refused",
                report(
                    .refused, .failed, [:],
                    error: ReportError(code: "manifest", message: "2 errors:\na.json5:1: x\na.json5:2: y"))
            ),
            ("plan", plan),
            ("plan-nothing", PlanReport(tenantCount: 200, runbooks: plan.runbooks.prefix(1).map { done($0) })),
            ("rehearse", RehearsalSamples.partial), ("rehearse-good", RehearsalSamples.good),
            ("rehearse-nothing", RehearsalSamples.nothing),
            ("status", status),
            ("status-none", StatusReport(ledgerExists: false)),
            (
                "check",
                CheckReport(
                    ok: false, exitCode: 3,
                    identities: [
                        .init(runbook: "columns", key: "1", asked: 200, done: 200, unknown: 0, drifted: 0, missing: []),
                        .init(
                            runbook: "index", key: "1", asked: 200, done: 190, unknown: 1, drifted: 2,
                            missing: ["acme", "b"]),
                        .init(runbook: "late", key: "2", asked: 1, done: 0, unknown: 0, drifted: 0, missing: ["acme"]),
                    ])
            ),
            ("runs", RunList(runs: [run])), ("runs-none", RunList(runs: [])),
            (
                "show",
                RunDetail(
                    run: run,
                    runbooks: [
                        .init(
                            id: "columns", key: "1", checksum: "sha256:3", counts: counts([.succeeded: 9, .failed: 1]),
                            rowsAffected: 19870, durationMS: 812)
                    ], failures: [failure], manifest: "{}")
            ),
            (
                "tenants",
                TenantList(
                    workspace: "default",
                    tenants: [
                        .init(
                            id: "acme", target: "postgres://app@db/fleet", schema: "t_acme",
                            labels: ["plan": "x", "area": "eu"]),
                        .init(id: "日本", target: "postgres://app@db/fleet", schema: "t_jp", labels: [:]),
                    ])
            ),
            (
                "locks",
                LockList(locks: [
                    .init(
                        tenant: "acme", level: "tenant", mode: "exclusive", database: "fleet", pid: 4711,
                        application: "muster/runner", client: "10.0.0.1", since: start),
                    .init(
                        tenant: nil, level: "workspace", mode: "shared", database: "fleet", pid: nil, application: nil,
                        client: nil, since: nil),
                ])
            ),
            ("locks-key", LockKeyReport(tenant: "acme", key: -42, workspaceKey: 7, database: "fleet")),
        ] + verbs + rollbacks

    private static func done(_ runbook: PlanReport.PlannedRunbook) -> PlanReport.PlannedRunbook {
        var runbook = runbook
        runbook.counts = PlanReport.DecisionCounts()
        runbook.counts.done = 200
        return runbook
    }
}
