/// Where INT and TERM come from.
package protocol SignalSource: Sendable {
    /// Hands each signal to `handler`, on a thread of its own, until the subscription is cancelled.
    func listen(_ handler: @escaping @Sendable (Int32) -> Void) -> any SignalSubscription
}

package protocol SignalSubscription: Sendable {
    func cancel()
}
