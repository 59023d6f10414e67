import Groundwork
package import RunbookModel

/// Takes secrets out of text that servers and hooks wrote. Muster's own secrets are types that print masked; this is
/// for words that come back from outside.
package struct Masker: Sendable {
    /// Longest first, so that a secret inside another leaves no rest.
    private let secrets: [String]

    package init(_ secrets: [Redacted] = []) {
        var known: Set<String> = []
        for secret in secrets.map(\.revealed) where !secret.isEmpty {
            known.insert(secret)
            // A server names the password, never the whole URL.
            if let password = Self.password(in: secret) {
                known.insert(password)
                if let decoded = PercentEncoding.decoded(password) { known.insert(decoded) }
            }
        }
        self.secrets = known.sorted { ($0.count, $0) > ($1.count, $1) }
    }

    package func callAsFunction(_ text: String) -> String {
        var result = text
        for secret in secrets { result = Self.replacing(secret, in: result) }
        return Self.maskingPasswords(in: result)
    }

    package func callAsFunction(_ text: String?) -> String? { text.map { self($0) } }

    /// A short secret (`dev`, `eu`) is replaced only where it stands as a word of its own.
    private static func replacing(_ secret: String, in text: String) -> String {
        guard secret.count < 6 else { return text.replacingPlaces(of: secret, with: mask) }
        var result = ""
        var rest = text[...]
        while let found = rest.firstPlace(of: secret) {
            let before = rest[..<found.lowerBound].last ?? result.last
            let after = rest[found.upperBound...].first
            let isWord = !(before?.isWordPart ?? false) && !(after?.isWordPart ?? false)
            result += rest[..<found.lowerBound] + (isWord ? mask[...] : rest[found])
            rest = rest[found.upperBound...]
        }
        return result + rest
    }

    /// Masks `user:password@` in any URL and `password=…` in any connection string, whoever wrote them.
    private static func maskingPasswords(in text: String) -> String {
        guard text.contains("://") || text.contains("password") else { return text }
        return
            text
            .replacing(/(?<head>[A-Za-z][A-Za-z0-9+.\-]*:\/\/[^\s\/:@?#]*:)[^\s\/]*@/) { "\($0.head)\(mask)@" }
            .replacing(/(?<head>\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&'"]+)/) { "\($0.head)\(mask)" }
    }

    private static func password(in text: String) -> String? {
        text.firstMatch(of: /^[A-Za-z][A-Za-z0-9+.\-]*:\/\/[^\s\/:@?#]*:(?<password>[^\s\/]+)@/)
            .map { String($0.password) }
    }

    private static let mask = "****"
}

extension Character {
    fileprivate var isWordPart: Bool { isLetter || isNumber || self == "_" }
}
