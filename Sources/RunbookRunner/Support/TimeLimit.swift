import DatabaseAccess
import Synchronization

/// Interrupts work that takes longer than allowed, as `runbook_timeout` asks.
struct TimeLimit {
    /// Runs `body`; when `limit` passes first, `interrupter` is called and the answer's `expired` is true.
    ///
    /// - Parameter body: is given what begins a new limit; nil is none.
    static func enforce<Answer>(
        _ limit: Duration?, on interrupter: any StatementInterrupter,
        _ body: (_ restart: @escaping (Duration?) -> Void) -> Answer
    ) -> (answer: Answer, expired: Bool) {
        let state = Expiry()
        // It rings again, since a request that overtakes its statement on the way to the server is lost.
        let alarm = AlarmClock.shared.set(.now + (limit ?? never)) {
            // Under the lock, so that a late alarm never interrupts what comes after the body.
            state.stage.withLock { stage in
                guard stage != .ended else { return }
                stage = .expired
                interrupter.interrupt()
            }
        }
        let answer = body { AlarmClock.shared.move(alarm, to: .now + ($0 ?? never)) }
        AlarmClock.shared.takeBack(alarm)
        let expired = state.stage.withLock { stage in
            defer { stage = .ended }
            return stage == .expired
        }
        return (answer, expired)
    }

    private static let never: Duration = .seconds(86_400 * 365)

    private final class Expiry: Sendable {
        enum Stage { case running, expired, ended }
        let stage = Mutex(Stage.running)
    }
}
