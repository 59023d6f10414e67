import Foundation
import RunbookModel

/// Answers of `rehearse`.
enum RehearsalSamples {
    private static let script = SQLScript(path: "s.sql", text: "select 1", statements: [], checksum: "sha256:s")

    private static func empty(_ runbooks: [Runbook]) -> RehearsalReport {
        var report = RehearsalReport(workspace: "default", startedAt: Date(timeIntervalSince1970: 1_767_225_600))
        report.maxHoldMS = 10_000
        report.durationMS = 2345
        report.runbooks = runbooks.map { .init(id: $0.id, key: $0.key, phase: $0.phase) }
        return report
    }

    private static func runbook(_ id: String, after: [String] = [], transaction: Bool = true) -> Runbook {
        Runbook(
            id: id, phase: "pre-deploy", after: after, transaction: transaction, action: .sql(script),
            checksum: "sha256:3")
    }

    private static let runbooks = [
        runbook("columns"), runbook("index", after: ["columns"], transaction: false),
        runbook("uses-index", after: ["index"]), runbook("defaults", after: ["columns"]), build,
    ]

    /// Apply builds its index CONCURRENTLY.
    private static var build: Runbook {
        let text = "create index concurrently i on t (a)"
        let twin = PlainTwin(
            text: "create index              i on t (a)", work: .build(index: "i", table: "t"), schema: nil)
        let statement = SQLStatement(
            text: text, line: 1, offset: 0, length: text.count, isConcurrent: true, plainTwin: twin)
        var runbook = runbook("build", after: ["columns"], transaction: false)
        runbook.action = .sql(SQLScript(path: "b.sql", text: text, statements: [statement], checksum: "sha256:b"))
        return runbook
    }

    /// - Parameter end: how `columns` ends.
    private static func add(_ tenant: String, _ end: RehearsalStepEnd, to tally: inout RehearsalTally) {
        let plan = RehearsalPlan(
            runbooks.map { TenantPlanner.Step(runbook: $0, decision: .run) }, elsewhere: [], isFile: false)
        var course = RehearsalCourse()
        var time = Duration.zero
        course.go(
            through: plan,
            clock: {
                time += .milliseconds(40)
                return time
            },
            perform: {
                $0.id == "columns"
                    ? end
                    : $0.id == "build" ? .succeeded(rows: 0, plainBuild: .milliseconds(25)) : .succeeded(rows: 200)
            })
        tally.add(
            .init(
                tenant: tenant, course, heldMS: 120,
                locks: [
                    RelationLock(relation: "findings", mode: .accessExclusive, runbook: "columns", heldMS: 118),
                    RelationLock(relation: "public.plans", mode: .rowShare, runbook: "defaults", heldMS: 20),
                    RelationLock(relation: "observations", mode: .share, runbook: "defaults", heldMS: 35),
                ]), course.failures)
    }

    static var partial: RehearsalReport {
        let failure = Failure(
            tenant: "acme\n", runbook: "columns", key: "1", state: "failed", clean: true, sqlstate: "42701",
            message: "column \"state\" of relation \"findings\" already exists", hint: "Drop it first.",
            file: "sql/001_columns.sql", line: 2, statement: "ALTER TABLE findings ADD COLUMN state text")
        var tally = RehearsalTally(empty(runbooks), settled: 3)
        add("acme\n", .failed(failure), to: &tally)
        add("globex", .succeeded(rows: 0), to: &tally)
        add("initech", .obstacle(.busy, "the tenant's lock is held by somebody else"), to: &tally)
        add("umbrella", .obstacle(.maxHold, "stopped after --max-hold (10s)"), to: &tally)
        var report = tally.finished(signal: nil)
        report.wal = .init(bytes: 2_400_000, source: .position)
        report.estimate = DeployEstimate(
            [
                .init(runbook: "columns", scope: .tenant, count: 4, mean: .milliseconds(40)),
                .init(runbook: "index", scope: .tenant, count: 4, mean: nil),
                .init(runbook: "uses-index", scope: .tenant, count: 4, mean: nil),
            ], slices: [.init(tenants: 4, workers: 2)])
        report.notices = ["3 tenants are new."]
        return report
    }

    static var good: RehearsalReport {
        var report = empty(runbooks)
        report.sample = 2
        report.counts.notInSample = 198
        var tally = RehearsalTally(report, settled: 0)
        add("acme", .succeeded(rows: 0), to: &tally)
        add("globex", .succeeded(rows: 0), to: &tally)
        report = tally.finished(signal: nil)
        report.wal = .init(bytes: 4000, source: .statements)
        report.next = "muster apply -f deploy.json5"
        return report
    }

    static var nothing: RehearsalReport {
        var report = RehearsalTally(empty(runbooks), settled: 200).finished(signal: nil)
        report.nothingToDo = true
        return report
    }
}
