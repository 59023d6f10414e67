import Groundwork

extension ConnectionURL {
    /// Reads `postgres://…`, `postgresql://…` and `sqlite:PATH` (`sqlite:rel`, `sqlite:/abs`, `sqlite:///abs`).
    ///
    /// - Throws: `.refused` with what to write instead. It never repeats more of the text than its scheme.
    package init(parsing text: String) throws(DatabaseError) {
        guard !text.isEmpty else { throw .refusedURL("The database URL is empty.") }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
            throw .refusedURL("The database URL holds a control character, such as a newline at its end.")
        }
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            _ = try PostgresURLParts(text)
            self.init(dialect: .postgresql, revealed: text, path: nil)
        } else if text.hasPrefix("sqlite:") {
            self.init(dialect: .sqlite, revealed: text, path: try Self.sqlitePath(text.dropFirst("sqlite:".count)))
        } else {
            throw .refusedURL(Self.complaint(about: text))
        }
    }

    private static func sqlitePath(_ given: Substring) throws(DatabaseError) -> String {
        var rest = given
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            guard rest.hasPrefix("/") else {
                throw .refusedURL("A SQLite URL has no host: sqlite: and two slashes are followed by a third.")
            }
        }
        guard !rest.contains("?") else {
            throw .refusedURL("A SQLite URL takes no parameters; a ? in a file's name is written %3F.")
        }
        guard let path = PercentEncoding.decoded(rest), !path.unicodeScalars.contains("\0") else {
            throw .refusedURL("The path of the SQLite URL is not percent-encoded correctly; a % is written %25.")
        }
        guard !path.isEmpty, path != ":memory:" else {
            throw .refusedURL("The SQLite URL names no file.")
        }
        return path
    }

    private static func complaint(about text: String) -> String {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else {
            return text.contains("=")
                ? "The database is given as a list of keywords; it is needed as a URL."
                : "The database URL has no scheme that is known."
        }
        let scheme = text[..<colon]
        // What stands there may be anything, so only what looks like a scheme is repeated.
        guard scheme.hasPrefix("sqlite") || scheme.utf8.allSatisfy({ (97...122).contains($0 | 32) }), scheme.count <= 12
        else {
            return "The database URL has no scheme that is known."
        }
        switch scheme.lowercased().first {
        case "p": return "There is no \(scheme)://; did you mean postgres://?"
        case "s", "f": return "There is no \(scheme)://; did you mean sqlite:?"
        default: return "There is no driver for \(scheme)://."
        }
    }
}

extension DatabaseError {
    static func refusedURL(_ message: String) -> DatabaseError {
        DatabaseError(.refused, message, hint: "Write postgres://USER@HOST:PORT/DATABASE or sqlite:PATH.")
    }
}
