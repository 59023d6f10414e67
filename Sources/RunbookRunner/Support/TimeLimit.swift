import DatabaseAccess
import Dispatch
import Synchronization

/// Interrupts work that takes longer than allowed, as `runbook_timeout` asks.
struct TimeLimit {
    /// Runs `body`; when `limit` passes first, `interrupter` is called and the answer's `expired` is true.
    static func enforce<Answer>(
        _ limit: Duration?, on interrupter: any StatementInterrupter, _ body: () -> Answer
    ) -> (answer: Answer, expired: Bool) {
        guard let limit else { return (body(), false) }
        let state = Expiry()
        let alarm = DispatchSource.makeTimerSource()
        // Repeated, since a request that overtakes its statement on the way to the server is lost.
        alarm.schedule(deadline: .now() + limit.seconds, repeating: 0.1)
        alarm.setEventHandler {
            // Under the lock, so that a late alarm never interrupts what comes after the body.
            state.stage.withLock { stage in
                guard stage != .ended else { return }
                stage = .expired
                interrupter.interrupt()
            }
        }
        alarm.resume()
        let answer = body()
        let expired = state.stage.withLock { stage in
            defer { stage = .ended }
            return stage == .expired
        }
        alarm.cancel()
        return (answer, expired)
    }

    private final class Expiry: Sendable {
        enum Stage { case running, expired, ended }
        let stage = Mutex(Stage.running)
    }
}
