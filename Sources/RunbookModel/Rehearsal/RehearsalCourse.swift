/// Leads a tenant's rehearsal from step to step, as apply would go: what comes after a failed one is blocked, and so are
/// the phases after its own; other runbooks of the phase go on.
package struct RehearsalCourse: Sendable {
    package private(set) var steps: [RehearsalReport.RehearsedStep] = []
    package private(set) var failures: [Failure] = []
    /// What each took that was run, or not run because another one failed.
    package private(set) var took: [RehearsedWork] = []
    package private(set) var obstacle: RehearsalObstacle?
    package private(set) var message: String?
    private var obstacles: Set<String> = []
    private var brokenPhase: String?
    /// Hooks to be started dry, with their place among the steps.
    private var dryRuns: [(runbook: Runbook, place: Int)] = []

    package init() {}

    /// - Parameters:
    ///   - clock: is asked before and after each.
    ///   - perform: runs one, and is not called any more once an obstacle was met.
    package mutating func go(
        through plan: RehearsalPlan, clock: () -> Duration, perform: (Runbook) -> RehearsalStepEnd
    ) {
        for step in plan.steps {
            let runbook = step.runbook
            switch step.disposition {
            case .notRehearsed(let reason): note(runbook, .notRehearsed, reason)
            case .unknown(let reason): obstruct(runbook, .unknown, reason)
            case .blocked(let reason): obstruct(runbook, .blocked, reason)
            case .rehearse, .dryRun:
                if let obstacle {
                    note(runbook, .notRehearsed, "the rehearsal did not get there: \(obstacle.words)")
                } else if let reason = obstruction(of: runbook) {
                    obstruct(runbook, .blocked, reason)
                    if step.disposition == .rehearse {
                        took.append(RehearsedWork(runbook: runbook.identity, duration: .zero, kind: .notRun))
                    }
                } else if step.disposition == .dryRun {
                    dryRuns.append((runbook, steps.count))
                    note(runbook, .notRehearsed, "its dry run was not started")
                } else {
                    let began = clock()
                    let end = perform(runbook)
                    take(end, of: runbook, clock() - began)
                }
            }
        }
    }

    /// Starts, now that no lock is held any more, the hooks that were met.
    package mutating func goDry(clock: () -> Duration, perform: (Runbook) -> RehearsalStepEnd) {
        for (runbook, place) in dryRuns where obstacle == nil {
            let began = clock()
            let end = perform(runbook)
            steps[place].durationMS = RelationLock.milliseconds(clock() - began)
            switch end {
            case .succeeded:
                steps[place].state = .wouldSucceed
                steps[place].reason = "dry run"
            case .failed(let failure):
                steps[place].state = .wouldFail
                steps[place].reason = failure.message
                failures.append(failure)
            case .obstacle(let obstacle, let message):
                steps[place].reason = "not to its end: \(obstacle.words)"
                self.end(with: obstacle, message)
            }
        }
        dryRuns = []
    }

    /// A tenant that could not be begun.
    package mutating func stop(_ obstacle: RehearsalObstacle, _ message: String, before plan: RehearsalPlan) {
        self.obstacle = obstacle
        self.message = message
        go(through: plan, clock: { .zero }, perform: { _ in .obstacle(obstacle, message) })
    }

    /// The transaction could not be ended as it should.
    package mutating func end(with obstacle: RehearsalObstacle, _ message: String) {
        guard self.obstacle == nil else { return }
        self.obstacle = obstacle
        self.message = message
    }

    private mutating func take(_ end: RehearsalStepEnd, of runbook: Runbook, _ duration: Duration) {
        let milliseconds = RelationLock.milliseconds(duration)
        if case .obstacle = end {} else { took.append(RehearsedWork(of: runbook, took: duration, end)) }
        switch end {
        case .succeeded(let rows, let plainBuild):
            var step = RehearsalReport.RehearsedStep(runbook: runbook.id, key: runbook.key, state: .wouldSucceed)
            (step.rowsAffected, step.durationMS) = (rows, plainBuild.map(RelationLock.milliseconds) ?? milliseconds)
            step.asPlainBuild = runbook.isRehearsedAsPlainBuild
            steps.append(step)
        case .failed(let failure):
            var step = RehearsalReport.RehearsedStep(runbook: runbook.id, key: runbook.key, state: .wouldFail)
            (step.reason, step.durationMS) = (failure.message, milliseconds)
            step.asPlainBuild = runbook.isRehearsedAsPlainBuild
            steps.append(step)
            failures.append(failure)
            obstruct(runbook)
        case .obstacle(let obstacle, let message):
            (self.obstacle, self.message) = (obstacle, message)
            note(runbook, .notRehearsed, "not to its end: \(obstacle.words)")
        }
    }

    private func obstruction(of runbook: Runbook) -> String? {
        if let before = runbook.after.first(where: obstacles.contains) {
            return "after \(before), which would not be done"
        }
        if let brokenPhase, brokenPhase != runbook.phase { return "phase \(brokenPhase) would not be done" }
        return nil
    }

    private mutating func note(_ runbook: Runbook, _ state: RehearsalState, _ reason: String) {
        var step = RehearsalReport.RehearsedStep(runbook: runbook.id, key: runbook.key, state: state)
        step.reason = reason
        steps.append(step)
    }

    private mutating func obstruct(_ runbook: Runbook, _ state: RehearsalState, _ reason: String) {
        note(runbook, state, reason)
        obstruct(runbook)
    }

    private mutating func obstruct(_ runbook: Runbook) {
        obstacles.insert(runbook.id)
        if brokenPhase == nil { brokenPhase = runbook.phase }
    }
}
