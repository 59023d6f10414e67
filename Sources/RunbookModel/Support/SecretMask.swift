/// Replaces known secrets in texts that come from servers and hooks, before anything stores or shows them.
package struct SecretMask: Sendable {
    /// Longest first, so that a secret inside another does not leave a rest.
    private let secrets: [String]

    /// Secrets of fewer than four characters are left alone: they would blot out ordinary words.
    package init(_ secrets: [Redacted]) {
        self.secrets = Set(secrets.map(\.revealed)).filter { $0.count >= 4 }.sorted { $0.count > $1.count }
    }

    package func text(_ text: String) -> String {
        secrets.reduce(text) { $0.contains($1) ? $0.replacing($1, with: "****") : $0 }
    }

    package func text(_ text: String?) -> String? { text.map { self.text($0) } }

    package func failure(_ failure: Failure) -> Failure {
        var masked = failure
        masked.message = text(failure.message)
        masked.detail = text(failure.detail)
        masked.hint = text(failure.hint)
        masked.statement = text(failure.statement)
        return masked
    }
}
