import Foundation
import RunbookModel
import Testing

@Suite struct RehearsalCourseTests {
    private static let script = SQLScript(path: "s.sql", text: "select 1", statements: [], checksum: "sha256:s")

    private func runbook(
        _ id: String, after: [String] = [], phase: String = "one", transaction: Bool = true, foreignKeys: Bool = false,
        isHook: Bool = false
    ) -> Runbook {
        Runbook(
            id: id, phase: phase, after: after, transaction: transaction, foreignKeys: foreignKeys,
            action: isHook ? .exec(HookCommand(arguments: ["x"], timeout: .seconds(1))) : .sql(Self.script),
            checksum: "sha256:now")
    }

    private func step(_ runbook: Runbook, _ decision: PlanDecision = .run) -> TenantPlanner.Step {
        TenantPlanner.Step(runbook: runbook, decision: decision, reason: "r")
    }

    private func failure(_ runbook: Runbook) -> Failure {
        Failure(tenant: "t", runbook: runbook.id, key: runbook.key, state: "failed", message: "no")
    }

    private func states(_ course: RehearsalCourse) -> [String] {
        course.steps.map { "\($0.runbook) \($0.state.rawValue)" }
    }

    /// Guarantee: each decision of the plan has its place in a rehearsal.
    @Test(arguments: PlanDecision.allCases)
    func decisionsHaveTheirPlace(_ decision: PlanDecision) {
        let plan = RehearsalPlan([step(runbook("a"), decision)], elsewhere: [], isFile: false)
        let expected: [RehearsalPlan.Disposition] =
            switch decision {
            case .done, .notApplicable: []
            case .run: [.rehearse]
            case .unknown: [.unknown("r")]
            case .blocked, .drifted: [.blocked("r")]
            }
        #expect(plan.steps.map(\.disposition) == expected)
    }

    /// Guarantee: figures are exact means over the tenants where a runbook is pending: one that another's failure blocks
    /// takes nothing there, and what was not rehearsed has none.
    @Test func figuresAreMeansOverTenants() {
        let (first, second) = (runbook("first"), runbook("second", after: ["first"]))
        let plan = RehearsalPlan(
            [step(first), step(second), step(runbook("index", transaction: false))], elsewhere: [], isFile: false)
        var figures = RehearsalFigures()
        #expect(figures.isEmpty)
        for fails in [false, true] {
            var course = RehearsalCourse()
            var time = Duration.zero
            course.go(
                through: plan, clock: { time },
                perform: {
                    time += .microseconds(600)
                    return fails ? .failed(failure($0)) : .succeeded(rows: 0)
                })
            #expect(course.steps.allSatisfy { ($0.durationMS ?? 0) == 0 })
            figures.add(course, beside: fails ? nil : .microseconds(200))
        }
        #expect(figures.mean(of: first.identity) == .microseconds(600))
        #expect(figures.mean(of: second.identity) == .microseconds(300))
        #expect(figures.mean(of: Identity(runbook: "index", key: "1")) == nil)
        #expect(figures.meanBeside == .microseconds(200))
    }

    /// Guarantee: what comes after work that cannot be rehearsed is not rehearsed, at any remove, and never would fail.
    @Test func afterNonRehearsableWorkNothingIsSaid() {
        let steps = [
            runbook("index", transaction: false), runbook("hook", isHook: true), runbook("free"),
            runbook("uses", after: ["index"]), runbook("further", after: ["uses"]), runbook("called", after: ["hook"]),
        ].map { step($0) }
        var course = RehearsalCourse()
        course.go(
            through: RehearsalPlan(steps, elsewhere: [], isFile: false), clock: { .zero },
            perform: {
                .failed(failure($0))
            })

        #expect(
            states(course) == [
                "index not_rehearsed", "hook not_rehearsed", "free would_fail", "uses not_rehearsed",
                "further not_rehearsed", "called not_rehearsed",
            ])
    }

    /// Guarantee: what waits for another place is not rehearsed, since nothing of that place is there.
    @Test func workOfAnotherPlaceIsMissing() {
        let plan = RehearsalPlan([step(runbook("a", after: ["once"]))], elsewhere: ["once"], isFile: false)
        #expect(plan.steps.map(\.disposition) == [.notRehearsed("after once, which is rehearsed in another place")])
    }

    /// Guarantee: in a file all that is rehearsed together has foreign_keys alike; on a server it does not matter.
    @Test(arguments: [true, false])
    func foreignKeysDoNotChangeWithin(_ isFile: Bool) {
        let steps = [step(runbook("a")), step(runbook("b", foreignKeys: true)), step(runbook("c"))]
        let plan = RehearsalPlan(steps, elsewhere: [], isFile: isFile)
        #expect(plan.steps.map { $0.disposition == .rehearse } == [true, !isFile, true])
    }

    /// Guarantee: as in apply, a failure blocks what comes after it and the later phases, and nothing else.
    @Test func failureBlocksWhatComesAfter() {
        let steps = [
            runbook("a"), runbook("b", after: ["a"]), runbook("c"), runbook("d", phase: "two"),
        ].map { step($0) }
        var course = RehearsalCourse()
        course.go(
            through: RehearsalPlan(steps, elsewhere: [], isFile: false), clock: { .zero },
            perform: {
                $0.id == "a" ? .failed(failure($0)) : .succeeded(rows: 3)
            })

        #expect(states(course) == ["a would_fail", "b blocked", "c would_succeed", "d blocked"])
        #expect(course.failures.map(\.runbook) == ["a"])
    }

    /// Guarantee: behind an obstacle nothing is run, and nothing is said of it.
    @Test(arguments: RehearsalObstacle.allCases)
    func obstacleEndsTheTenant(_ obstacle: RehearsalObstacle) {
        let plan = RehearsalPlan(["a", "b", "c"].map { step(runbook($0)) }, elsewhere: [], isFile: false)
        var calls: [String] = []
        var course = RehearsalCourse()
        course.go(
            through: plan, clock: { .zero },
            perform: {
                calls.append($0.id)
                return $0.id == "b" ? .obstacle(obstacle, "m") : .succeeded(rows: 0)
            })

        #expect(calls == ["a", "b"])
        #expect(states(course) == ["a would_succeed", "b not_rehearsed", "c not_rehearsed"])
        #expect(course.obstacle == obstacle)
    }

    /// Guarantee: a hook with dry_run is started only when the transaction is over, and not behind a failure or an obstacle.
    @Test(arguments: [nil, "failure", "obstacle"] as [String?])
    func dryRunsComeLast(_ trouble: String?) {
        var hook = runbook("hook", after: ["a"], isHook: true)
        hook.action = .exec(HookCommand(arguments: ["x"], timeout: .seconds(1), dryRun: true))
        let steps = [runbook("a"), hook, runbook("b"), runbook("behind", after: ["hook"])].map { step($0) }
        var calls: [String] = []
        var course = RehearsalCourse()
        course.go(
            through: RehearsalPlan(steps, elsewhere: [], isFile: false), clock: { .zero },
            perform: {
                calls.append($0.id)
                guard $0.id == "a", let trouble else { return .succeeded(rows: 1) }
                return trouble == "failure" ? .failed(failure($0)) : .obstacle(.maxHold, "m")
            })
        course.goDry(
            clock: { .zero },
            perform: {
                calls.append("dry \($0.id)")
                return .succeeded(rows: 0)
            })

        let expected: (calls: [String], states: [String]) =
            switch trouble {
            case nil:
                (["a", "b", "dry hook"], ["would_succeed", "would_succeed", "would_succeed", "not_rehearsed"])
            case "failure": (["a", "b"], ["would_fail", "blocked", "would_succeed", "not_rehearsed"])
            default: (["a"], ["not_rehearsed", "not_rehearsed", "not_rehearsed", "not_rehearsed"])
            }
        #expect(calls == expected.calls)
        #expect(course.steps.map(\.state.rawValue) == expected.states)
    }

    /// Guarantee: the exit status is what apply would end with, for each way a tenant may go beside one that succeeds.
    @Test(
        arguments: [
            (RehearsalStepEnd.succeeded(rows: 1), 0),
            (.failed(Failure(tenant: "t", runbook: "a", key: "1", state: "failed", message: "no")), 3),
            (.obstacle(.busy, ""), 75), (.obstacle(.unreachable, ""), 75), (.obstacle(.maxHold, ""), 3),
            (.obstacle(.leftTransaction, ""), 5),
        ] as [(RehearsalStepEnd, Int)])
    func exitIsApplys(_ end: RehearsalStepEnd, _ exit: Int) {
        let plan = RehearsalPlan([step(runbook("a"))], elsewhere: [], isFile: false)
        var report = RehearsalReport(startedAt: .distantPast)
        report.runbooks = [.init(id: "a", key: "1", phase: "one")]
        var tally = RehearsalTally(report, settled: 0)
        for end in [.succeeded(rows: 1), end] {
            var course = RehearsalCourse()
            course.go(through: plan, clock: { .zero }, perform: { _ in end })
            tally.add(.init(tenant: "t", course), course.failures)
        }
        #expect(tally.finished(signal: nil).exitCode == exit)
        #expect(tally.finished(signal: 2).exitCode == 130)
        #expect(tally.finished(signal: 15).exitCode == 143)
    }

    /// Guarantee: a sample is the same every time, has no tenant twice, and a larger one holds each smaller one.
    @Test func samplesAreStable() {
        let names = (1...200).map { "tenant-\($0)" }
        var last: Set<String> = []
        for count in [0, 1, 5, 50, 199, 200, 300] {
            let positions = StableSample.positions(of: names, count: count)
            #expect(positions == positions.sorted())
            #expect(Set(positions).count == min(count, 200))
            let chosen = Set(positions.map { names[$0] })
            #expect(chosen.isSuperset(of: last))
            let turned = StableSample.positions(of: names.reversed(), count: count).map { names.reversed()[$0] }
            #expect(Set(turned) == chosen)
            last = chosen
        }
    }
}
