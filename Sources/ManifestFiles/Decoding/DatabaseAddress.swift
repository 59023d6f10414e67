import Groundwork
import RunbookModel

/// Where a database is, as the manifest says it.
struct DatabaseAddress {
    /// A path relative to the manifest has become an absolute one. It may hold `{columns}`.
    var url: Redacted
    /// nil when a column decides.
    var dialect: SQLDialect?
}

extension ManifestDecoder {
    /// An address: `postgres://…`, `postgresql://…` or `sqlite:PATH`.
    func address(_ field: ManifestField, takesColumns: Bool = false) -> DatabaseAddress? {
        guard let text = takesColumns ? template(field) : field.line() else { return nil }
        if takesColumns, text.hasPrefix("{") { return DatabaseAddress(url: Redacted(text), dialect: nil) }
        if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            for password in passwords(in: text) { note(password: password, in: field) }
            return DatabaseAddress(url: Redacted(text), dialect: .postgresql)
        }
        if text.hasPrefix("sqlite:") {
            return sqliteAddress(text.dropFirst("sqlite:".count), field)
        }
        field.report(
            "\(field.shown) is no database address", remedy: "write postgres://USER@HOST:PORT/DATABASE or sqlite:PATH")
        return nil
    }

    private func sqliteAddress(_ rest: Substring, _ field: ManifestField) -> DatabaseAddress? {
        var path = rest
        if path.hasPrefix("//") {
            path = path.dropFirst(2)
            guard path.hasPrefix("/") else {
                field.report("a SQLite address has no host", remedy: "write sqlite:PATH or sqlite:///ABSOLUTE/PATH")
                return nil
            }
        }
        if path.isEmpty || path == ":memory:" {
            field.report("\(field.shown) names no file", remedy: "write sqlite:PATH")
            return nil
        }
        if path.contains("?") {
            field.report("a SQLite address takes no parameters", remedy: "a ? in a file's name is written %3F")
            return nil
        }
        if PercentEncoding.decoded(path) == nil {
            field.report(
                "\(field.shown) is not percent-encoded correctly", remedy: "a % in a file's name is written %25")
            return nil
        }
        guard !path.hasPrefix("/") else {
            return DatabaseAddress(url: Redacted("sqlite:\(path)"), dialect: .sqlite)
        }
        // The folder's own name is no template and no URL: its special characters are encoded.
        let base = PercentEncoding.encoded(folder.path, keeping: Set("!$&'()*+,/:=@".utf8))
        while path.hasPrefix("./") { path = path.dropFirst(2) }
        let slash = base.hasSuffix("/") ? "" : "/"
        return DatabaseAddress(url: Redacted("sqlite:\(base)\(slash)\(path)"), dialect: .sqlite)
    }

    /// Passwords in a PostgreSQL URL, as they are written and as they are meant.
    private func passwords(in url: String) -> [String] {
        guard let start = url.firstRange(of: "://")?.upperBound else { return [] }
        let rest = url[start...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        var written: [Substring] = []
        if let end = authority.lastIndex(of: "@"), let colon = authority[..<end].firstIndex(of: ":") {
            written.append(authority[authority.index(after: colon)..<end])
        }
        if let query = rest.firstIndex(of: "?") {
            for pair in rest[query...].dropFirst().split(separator: "&") where pair.hasPrefix("password=") {
                written.append(pair.dropFirst("password=".count))
            }
        }
        return written.filter { !$0.isEmpty && !$0.contains("{") }.flatMap { password in
            let meant = PercentEncoding.decoded(password) ?? String(password)
            return meant == password ? [meant] : [String(password), meant]
        }
    }

    /// A text with `{columns}` in it, well formed.
    func template(_ field: ManifestField) -> String? {
        guard let text = field.line() else { return nil }
        do {
            _ = try ColumnTemplate(text)
            return text
        } catch {
            field.report(error.message, remedy: "a tenant's column is written {name}")
            return nil
        }
    }
}
