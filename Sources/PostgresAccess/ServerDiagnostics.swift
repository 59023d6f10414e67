import DatabaseAccess

/// The fields of an error or a notice (PostgreSQL manual, 55.8 "Error and Notice Message Fields").
struct ServerDiagnostics {
    /// Bytes that are kept of each field; a script may raise any amount of text.
    private static let length = 16384

    var severity: String?
    var sqlState: String?
    var message: String
    var detail: String?
    var hint: String?
    var position: Int?
    var internalQuery: String?
    var context: String?
    var table: String?
    var constraint: String?

    /// The first line of the message is the error's; the others stand before its detail.
    func error(resultsBefore: Int) -> DatabaseError {
        let lines = message.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: true)
        let more = lines.count > 1 ? Self.kept(String(lines[1].drop { $0.isWhitespace })) : nil
        return DatabaseError(
            .statement, Self.kept(lines.first.map(String.init)) ?? "the server gave no reason",
            sqlState: sqlState,
            detail: Self.joined(more, Self.kept(detail)),
            hint: Self.kept(hint),
            context: Self.joined(Self.kept(context), Self.kept(internalQuery).map { "QUERY: \($0)" }),
            position: position, resultsBefore: resultsBefore, constraint: constraint, table: table)
    }

    private static func joined(_ first: String?, _ second: String?) -> String? {
        guard let first, let second else { return first ?? second }
        return "\(first)\n\(second)"
    }

    private static func kept(_ text: String?) -> String? {
        guard let text, text.utf8.count > length else { return text }
        return String(decoding: text.utf8.prefix(length), as: UTF8.self) + "…"
    }
}
