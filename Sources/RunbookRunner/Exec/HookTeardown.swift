private import Glibc

/// How a hook that must end is ended: each signal goes to the whole process group, and is followed by its grace. KILL
/// comes last in any case.
package struct HookTeardown: Sendable, Hashable {
    package struct Step: Sendable, Hashable {
        package var signal: Int32
        package var grace: Duration

        package init(signal: Int32, grace: Duration) {
            self.signal = signal
            self.grace = grace
        }
    }

    package var steps: [Step]
    /// How long output is still read once the hook has ended and others keep its output open.
    package var drain: Duration

    package init(
        _ steps: [Step] = [Step(signal: SIGTERM, grace: .seconds(5))], drain: Duration = .milliseconds(250)
    ) {
        self.steps = steps
        self.drain = drain
    }
}

/// Where a hook stands between its start and its end, and what is to be done next. It decides; `HookProcess` acts.
struct HookCourse {
    typealias Instant = ContinuousClock.Instant

    /// What is seen of the hook at one moment.
    struct Sight {
        var now: Instant
        /// The hook itself has ended; its children may live.
        var hasEnded: Bool
        /// Nobody holds its output any more.
        var isOutputClosed: Bool
        /// Somebody wants it to end.
        var isInterrupted: Bool
    }

    enum Action: Hashable {
        case signal(Int32)
        /// Everything is over: kill what is left of the group and take the hook's status.
        case finish
    }

    /// Why it was made to end; nil when it was not.
    enum Reason: Hashable {
        case timedOut
        case interrupted
    }

    private enum Stage {
        case running(until: Instant)
        /// Signals are being sent; the next step is due at an instant.
        case ending(next: Int, at: Instant)
        /// Only output is waited for, or, after KILL, the kernel.
        case draining(until: Instant)
    }

    private let teardown: HookTeardown
    private var stage: Stage
    private(set) var reason: Reason?

    init(start: Instant, timeout: Duration, teardown: HookTeardown) {
        self.teardown = teardown
        stage = .running(until: start.advanced(by: timeout))
    }

    /// When it wants to be asked again at the latest.
    var wake: Instant {
        switch stage {
        case .running(let instant), .ending(_, let instant), .draining(let instant): instant
        }
    }

    mutating func advance(_ sight: Sight) -> Action? {
        switch stage {
        case .running(let deadline):
            if sight.hasEnded {
                stage = .draining(until: sight.now.advanced(by: teardown.drain))
                return sight.isOutputClosed ? .finish : nil
            }
            guard sight.isInterrupted || sight.now >= deadline else { return nil }
            reason = sight.isInterrupted ? .interrupted : .timedOut
            return send(step: 0, sight)
        case .ending(let next, let instant):
            // Children of a hook that has ended keep their grace as long as they hold its output.
            if sight.hasEnded, sight.isOutputClosed { return .finish }
            return sight.now >= instant ? send(step: next, sight) : nil
        case .draining(let instant):
            let isOver = sight.isOutputClosed || sight.now >= instant
            return sight.hasEnded && isOver ? .finish : nil
        }
    }

    private mutating func send(step index: Int, _ sight: Sight) -> Action {
        guard index < teardown.steps.count else {
            stage = .draining(until: sight.now.advanced(by: teardown.drain))
            return .signal(SIGKILL)
        }
        let step = teardown.steps[index]
        stage = .ending(next: index + 1, at: sight.now.advanced(by: step.grace))
        return .signal(step.signal)
    }
}
