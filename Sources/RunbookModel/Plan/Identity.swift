/// What is done once per tenant: a runbook under an idempotency key.
package struct Identity: Sendable, Hashable {
    package var runbook: String
    package var key: String

    package init(runbook: String, key: String) {
        self.runbook = runbook
        self.key = key
    }
}

extension Identity: CustomStringConvertible {
    package var description: String { "\(runbook)@\(key)" }
}
