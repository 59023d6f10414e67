/// Whether work that failed is tried again at once, and how long is waited before.
package enum RetryDecision: Sendable, Hashable {
    case retry(after: Duration)
    case stop

    /// - Parameters:
    ///   - cause: nil when the failure is not transient.
    ///   - isClean: whether nothing can have been half done: the transaction was seen to fail, or COMMIT was never sent.
    ///   - tries: how often it was tried, the failed one included.
    ///   - retries: how often it may be tried again.
    ///   - random: from 0 to 1.
    package static func of(
        _ cause: TransientCause?, isClean: Bool, tries: Int, retries: Int, random: Double
    ) -> RetryDecision {
        guard cause != nil, isClean, tries <= retries else { return .stop }
        return .retry(after: delay(afterTry: tries, random: random))
    }

    /// How long to wait: doubling from 100 ms to at most 10 s, the upper half of it by chance, so that those who met do
    /// not meet again.
    ///
    /// - Parameters:
    ///   - tries: 1 after the first try.
    ///   - random: from 0 to 1.
    package static func delay(afterTry tries: Int, random: Double) -> Duration {
        let doublings = min(max(tries, 1) - 1, 7)
        let full = min(100 << doublings, 10_000)
        let share = random.isNaN ? 0 : min(max(random, 0), 1)
        return .milliseconds(full / 2 + Int(Double(full / 2) * share))
    }
}
