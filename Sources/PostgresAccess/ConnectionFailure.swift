import DatabaseAccess

/// What libpq says about a connection that could not be made, read from its message.
///
/// libpq gives no SQLSTATE for it; with `PQERRORS_VERBOSE` it stands in the text, behind the severity.
struct ConnectionFailure {
    let reason: String
    let rest: String?
    let sqlState: String?

    init(message: String) {
        let lines = message.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }
        // With several addresses each has its line; the last one decided.
        let last = lines.lastIndex { $0.hasPrefix("connection to server ") } ?? 0
        let line = lines.indices.contains(last) ? String(lines[last]) : "no reason was given"
        let more = lines.dropFirst(last + 1).map { $0.drop { $0 == "\t" || $0 == " " } }.joined(separator: " ")
        rest = more.isEmpty ? nil : more
        if let found = line.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
            sqlState = String(found.1)
            reason = "\(line[..<found.range.lowerBound]):  \(line[found.range.upperBound...])"
        } else {
            sqlState = nil
            reason = line
        }
    }

    /// - Parameter silence: how long an address was given that did not answer, when there was one.
    func error(for url: ConnectionURL, silence: Duration?) -> DatabaseError {
        let isRejection = sqlState.map { $0.hasPrefix("28") || $0 == "3D000" || $0 == "42501" } ?? false
        let waited = silence.map { " (an address gave no answer within \($0.components.seconds) s)" } ?? ""
        return DatabaseError(
            isRejection ? .rejected : .unreachable,
            "\(isRejection ? "refused by" : "cannot reach") \(url): \(url.masking(reason))\(waited)",
            sqlState: sqlState, hint: rest.map(url.masking))
    }
}
