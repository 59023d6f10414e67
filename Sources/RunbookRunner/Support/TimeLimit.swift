import DatabaseAccess
import Dispatch
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
        let alarm = DispatchSource.makeTimerSource()
        let restart = { (limit: Duration?) in
            // Repeated, since a request that overtakes its statement on the way to the server is lost.
            alarm.schedule(deadline: limit.map { .now() + $0.seconds } ?? .distantFuture, repeating: 0.1)
        }
        restart(limit)
        alarm.setEventHandler {
            // Under the lock, so that a late alarm never interrupts what comes after the body.
            state.stage.withLock { stage in
                guard stage != .ended else { return }
                stage = .expired
                interrupter.interrupt()
            }
        }
        alarm.resume()
        let answer = body(restart)
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
