/// Hands the server's notices on, so many for each message to the server, and says how many it left out.
final class NoticeLog {
    static let limit = 100
    /// Scalars of one notice that are handed on.
    static let length = 2000

    var handler: ((String) -> Void)?
    private var count = 0

    func receive(_ severity: String, _ message: String) {
        count += 1
        guard count <= Self.limit, let handler else { return }
        handler(Self.line("\(severity): \(message)"))
    }

    /// Ends a message to the server; what it left out is said now.
    func endMessage() {
        let dropped = count - Self.limit
        count = 0
        if dropped > 0 { handler?("… \(dropped) more notices dropped") }
    }

    private static func line(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(length) { line.append(scalar == "\n" ? " " : scalar) }
        return String(line) + (text.unicodeScalars.count > length ? "…" : "")
    }
}
