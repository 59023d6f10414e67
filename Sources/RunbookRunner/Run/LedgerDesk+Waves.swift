import DatabaseAccess
import LedgerStore
import RunbookModel

/// What a worker is to do.
enum Work: Sendable {
    case tenant(Assignment)
    case gate(GateQuestion)
    /// A hook before the run.
    case hook(HookOrder)
    /// A tenant's work has ended; what is left is the hook behind it.
    case closing(Assignment, JobResult)
    /// Close all connections, say so, and come again.
    case rest
}

/// The way of a run from wave to wave.
extension LedgerDesk {
    /// Whether one more tenant of this place may be worked on.
    func hasRoom(at place: Int) -> Bool {
        if sharedPlaces.contains(place) { return underWay == 0 }
        guard let course = fleet?.plan.course, ceilings.indices.contains(course.wave(of: place)) else { return true }
        return underWay < ceilings[course.wave(of: place)]
    }

    /// Whether work is at hand that must wait for other work to end.
    var isFull: Bool { claimed.first.map { !hasRoom(at: $0.stage) } ?? false }

    /// Decides what comes after the wave at the run's place, in which no job is open any more.
    ///
    /// - Returns: whether something has moved.
    func pass(_ place: Int, of run: String, in ledger: Ledger) throws(DatabaseError) -> Bool {
        guard let plan = fleet?.plan else { return false }
        let number = plan.course.wave(of: place)
        // Nothing waits for the last wave but the next stage, which has rules of its own.
        guard number + 1 < plan.waves.count else {
            try ledger.advanceRun(run, past: place, plan.course)
            return true
        }
        let wave = plan.waves[number]
        let end = try ledger.waveEnd(run, at: place, plan.course, tenants: plan.waveSizes[number])
        switch WaveStep.of(end, rules[number], wave) {
        case .goOn:
            try ledger.advanceRun(run, past: place, plan.course)
            return true
        case .stop(let reason):
            _ = try ledger.stop(run, reason: reason)
            return true
        case .wait(let time):
            say("Wave \(wave.name) is over; the next one begins after \(DurationText.text(time)).", at: place)
            quietUntil = .now + min(time, .seconds(1))
            return false
        case .ask:
            quietUntil = max(quietUntil, .now + .milliseconds(250))
            guard let gate = wave.gate, !isAskingGate, ContinuousClock.now >= nextGateTry,
                try ledger.takeGate(run, at: place, runner: runner)
            else { return false }
            openGate = GateQuestion(wave: wave.name, gate: gate, place: place)
            return true
        }
    }

    /// Takes what a gate answered.
    func take(_ answer: GateAnswer, to question: GateQuestion) {
        isAskingGate = false
        quietUntil = .now
        defer { wake() }
        guard let run, let plan = fleet?.plan else { return }
        do throws(DatabaseError) {
            switch answer {
            case .passed:
                try insisting { ledger throws(DatabaseError) in
                    try ledger.advanceRun(run.id, past: question.place, plan.course)
                }
                gateSince = nil
                events?.send(.message("The gate of wave \(question.wave) has passed."))
            case .refused(let reason): try shut(question, reason)
            case .again(let reason):
                let since = gateSince ?? .now
                gateSince = since
                let limit = lockWait ?? plan.runbooks.map(\.limits.lockWait).max() ?? .seconds(300)
                guard ContinuousClock.now - since < limit else { return try shut(question, reason) }
                if ContinuousClock.now - since < .seconds(1) {
                    events?.send(.message("The gate of wave \(question.wave): \(reason); trying again."))
                }
                let pause = min(10, max(0.2, (ContinuousClock.now - since).seconds / 4))
                nextGateTry = .now + .seconds(pause)
            case .interrupted: break
            }
        } catch { fail(error) }
    }

    private func shut(_ question: GateQuestion, _ reason: String) throws(DatabaseError) {
        guard let run else { return }
        _ = try insisting { ledger throws(DatabaseError) in
            try ledger.stop(run.id, reason: "the gate of wave \(question.wave) did not pass: \(reason)")
        }
    }

    /// Tells people once for each place.
    private func say(_ text: String, at place: Int) {
        guard announced != place else { return }
        announced = place
        events?.send(.message(text))
    }
}
