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
        let alarm = DispatchWorkItem {
            // Under the lock, so that a late alarm never interrupts what comes after the body.
            state.stage.withLock { stage in
                guard stage == .running else { return }
                stage = .expired
                interrupter.interrupt()
            }
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit.seconds, execute: alarm)
        let answer = body()
        alarm.cancel()
        let expired = state.stage.withLock { stage in
            defer { if stage == .running { stage = .ended } }
            return stage == .expired
        }
        return (answer, expired)
    }

    private final class Expiry: Sendable {
        enum Stage { case running, expired, ended }
        let stage = Mutex(Stage.running)
    }
}
