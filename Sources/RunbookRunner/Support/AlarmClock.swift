import Dispatch
import Synchronization

/// Calls back when a time has come, for many callers with few timers: each tenant sets an alarm, and nearly none rings.
final class AlarmClock: Sendable {
    static let shared = AlarmClock()

    private struct State {
        var alarms: [Int: (at: ContinuousClock.Instant, ring: @Sendable () -> Void)] = [:]
        var number = 0
        /// When the clock looks next.
        var look: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// Rings at that time, and every tenth of a second from then on, until it is taken back. It may still ring while that
    /// happens.
    ///
    /// - Returns: its number.
    func set(_ time: ContinuousClock.Instant, ring: @escaping @Sendable () -> Void) -> Int {
        let (number, isFirst) = state.withLock { state in
            state.number += 1
            state.alarms[state.number] = (time, ring)
            return (state.number, Self.advance(&state, to: time))
        }
        if isFirst { look(at: time) }
        return number
    }

    func move(_ number: Int, to time: ContinuousClock.Instant) {
        let isFirst = state.withLock { state in
            guard state.alarms[number] != nil else { return false }
            state.alarms[number]?.at = time
            return Self.advance(&state, to: time)
        }
        if isFirst { look(at: time) }
    }

    func takeBack(_ number: Int) {
        state.withLock { _ = $0.alarms.removeValue(forKey: number) }
    }

    /// Whether the clock must look sooner than it would.
    private static func advance(_ state: inout State, to time: ContinuousClock.Instant) -> Bool {
        if let look = state.look, look <= time { return false }
        state.look = time
        return true
    }

    private func look(at time: ContinuousClock.Instant) {
        DispatchQueue.global().asyncAfter(deadline: .now() + (time - .now).seconds) { [self] in look() }
    }

    private func look() {
        // The timer goes by another clock, and may be a little early.
        let now = ContinuousClock.now + .milliseconds(2)
        let (due, next) = state.withLock { state -> ([@Sendable () -> Void], ContinuousClock.Instant?) in
            // A look that was overtaken by an earlier one.
            guard let planned = state.look, planned <= now else { return ([], nil) }
            var due: [@Sendable () -> Void] = []
            for (number, alarm) in state.alarms where alarm.at <= now {
                due.append(alarm.ring)
                state.alarms[number]?.at = now + .milliseconds(100)
            }
            state.look = state.alarms.values.map(\.at).min()
            return (due, state.look)
        }
        for ring in due { ring() }
        if let next { look(at: next) }
    }
}
