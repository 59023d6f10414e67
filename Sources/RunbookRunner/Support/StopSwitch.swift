import DatabaseAccess
import Dispatch
import FoundationEssentials
import Groundwork
import Synchronization

/// Tells a run under way to stop: the first request ends claiming and lets running work finish within the grace, the
/// second interrupts it at once. Whoever receives signals keeps it; any thread may call it.
package final class StopSwitch: Sendable {
    private struct State {
        var signal: Int32?
        var isHalted = false
        var grace: Duration = .seconds(30)
        var isCancelling = false
        var running: [ObjectIdentifier: any StatementInterrupter] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The first signal that asked to stop.
    package var signal: Int32? { state.withLock(\.signal) }
    package var isStopping: Bool { state.withLock { $0.signal != nil || $0.isHalted } }
    package var isCancelling: Bool { state.withLock(\.isCancelling) }

    /// Says how long running work may go on after the first request.
    package func allow(grace: Duration) {
        state.withLock { $0.grace = grace }
    }

    /// Asks to stop.
    package func request(_ signal: Int32) {
        let grace: Duration? = state.withLock { state in
            guard state.signal == nil else { return nil }
            state.signal = signal
            return state.grace
        }
        guard let grace else { return cancel() }
        cancel(after: grace)
    }

    /// The run is over, by whatever end: what comes behind it is not ended by a halt, but still by a signal.
    func resume() {
        state.withLock { state in
            state.isHalted = false
            if state.signal == nil { state.isCancelling = false }
        }
    }

    /// Stops like the first request, but for no signal: the run is over, and not by its end.
    func halt() {
        let grace: Duration? = state.withLock { state in
            guard !state.isHalted else { return nil }
            state.isHalted = true
            return state.grace
        }
        if let grace { cancel(after: grace) }
    }

    private func cancel(after grace: Duration) {
        DispatchQueue.global().asyncAfter(deadline: .now() + grace.seconds) { [self] in cancel() }
    }

    private func cancel() {
        let running: [any StatementInterrupter] = state.withLock { state in
            // Nobody asks any more: the halt was taken back.
            guard state.signal != nil || state.isHalted else { return [] }
            state.isCancelling = true
            return Array(state.running.values)
        }
        for interrupter in running { interrupter.interrupt() }
        // Again after a moment: a request that overtakes its statement on the way to the server is lost.
        guard !running.isEmpty else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) { [self] in cancel() }
    }

    /// Runs `body` while a cancel interrupts what `interrupter` stands for.
    func interrupting<Answer, Failure>(
        _ interrupter: any StatementInterrupter, _ body: () throws(Failure) -> Answer
    ) throws(Failure) -> Answer {
        let id = ObjectIdentifier(interrupter)
        let isLate = state.withLock { state in
            state.running[id] = interrupter
            return state.isCancelling
        }
        // Not once: the statement may not have begun yet.
        if isLate { cancel() }
        defer { state.withLock { _ = $0.running.removeValue(forKey: id) } }
        return try body()
    }

    /// Waits on this thread, but not past a request to stop.
    func pause(_ duration: Duration) {
        let end = ContinuousClock.now + duration
        while !isStopping, ContinuousClock.now < end {
            blockThread(for: min(.milliseconds(50), end - .now))
        }
    }
}

extension Duration {
    /// In seconds, with fractions.
    var seconds: Double {
        let (whole, fraction) = components
        return Double(whole) + Double(fraction) / 1e18
    }

    /// In whole milliseconds.
    var milliseconds: Int { Int((seconds * 1000).rounded()) }
}
