import Groundwork

/// A PostgreSQL URL taken apart the way libpq does it (libpq, 34.1.1.2 "Connection URIs"), still percent-encoded.
struct PostgresURLParts {
    private let scheme: Substring
    private let user: Substring?
    private let password: Substring?
    private let hosts: Substring
    /// With its leading slash, or empty.
    private let database: Substring
    private let parameters: [(key: Substring, value: Substring)]

    /// - Throws: `.refused`; the message repeats nothing of the text, since any piece of it may be a piece of a password.
    init(_ text: String) throws(DatabaseError) {
        // libpq looks at bytes; a mark that a combining character follows is another `Character` than the mark alone.
        let marks: Set<Character> = ["/", ":", "@", "?", "&", "=", ",", "%", "[", "]"]
        guard text.unicodeScalars.count(where: { marks.contains(Character($0)) }) == text.count(where: marks.contains)
        else { throw .refusedURL("The database URL holds a combining character that has to be percent-encoded.") }
        guard let start = text.firstRange(of: "://") else { throw .refusedURL("The database URL has no scheme.") }
        scheme = text[..<start.lowerBound]
        var rest = text[start.upperBound...]

        if let end = rest.firstIndex(where: { $0 == "@" || $0 == "/" }), rest[end] == "@" {
            let userInfo = rest[..<end]
            let colon = userInfo.firstIndex(of: ":")
            user = userInfo[..<(colon ?? userInfo.endIndex)]
            password = colon.map { userInfo[userInfo.index(after: $0)...] }
            rest = rest[rest.index(after: end)...]
        } else {
            user = nil
            password = nil
        }

        let afterHosts = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        hosts = rest[..<afterHosts]
        let afterDatabase = rest.firstIndex(of: "?") ?? rest.endIndex
        database = afterHosts < afterDatabase ? rest[afterHosts..<afterDatabase] : ""
        parameters = try Self.parameters(rest[afterDatabase...].dropFirst())

        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            try Self.check(host: host)
        }
        let pieces = [user, password, hosts, database].compactMap(\.self) + parameters.flatMap { [$0.key, $0.value] }
        for piece in pieces {
            guard let plain = PercentEncoding.decoded(piece), !plain.unicodeScalars.contains("\0") else {
                throw .refusedURL("The database URL is not percent-encoded correctly; a % is written %25.")
            }
        }
    }

    private static func parameters(_ text: Substring) throws(DatabaseError) -> [(Substring, Substring)] {
        var parameters: [(Substring, Substring)] = []
        for parameter in text.split(separator: "&") {
            let halves = parameter.split(separator: "=", omittingEmptySubsequences: false)
            guard halves.count == 2 else {
                throw .refusedURL("Parameter \(parameters.count + 1) of the database URL is not of the form key=value.")
            }
            parameters.append((halves[0], halves[1]))
        }
        return parameters
    }

    /// A password that holds `@` or `/` as they are shifts its rest into the host or the port.
    private static func check(host: Substring) throws(DatabaseError) {
        var port = host
        if host.hasPrefix("["), let bracket = host.firstIndex(of: "]") { port = host[bracket...].dropFirst() }
        let digits = port.firstIndex(of: ":").map { port[$0...].dropFirst() } ?? ""
        guard !host.contains("@"), digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw .refusedURL(
                "The host or port of the database URL cannot be read; in a password, @ is written %40, / %2F and : %3A."
            )
        }
    }
}

extension PostgresURLParts {
    /// Parameters whose values are harmless; every other value is masked, known or not.
    private static let shown: Set<Substring> = [
        "host", "hostaddr", "port", "user", "dbname", "schema", "sslmode", "ssl", "connect_timeout", "application_name",
        "target_session_attrs", "client_encoding", "keepalives", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "channel_binding", "gssencmode", "service",
    ]

    /// What decides which server answers.
    var server: String {
        let keys: Set<Substring> = ["host", "hostaddr", "port", "service", "target_session_attrs"]
        let rest = parameters.filter { keys.contains($0.key) }.map { "\($0.key)=\($0.value)" }.sorted()
        return "\(hosts)?\(rest.joined(separator: "&"))"
    }

    /// As the address names it, percent-decoded; nil where it leaves that to libpq.
    var databaseName: String? {
        let given = parameters.last { $0.key == "dbname" }?.value ?? database.dropFirst()
        return given.isEmpty ? nil : PercentEncoding.decoded(given)
    }

    var masked: String {
        let userInfo = user.map { "\($0)\(password == nil ? "" : ":****")@" } ?? ""
        let query = parameters.map { key, value in "\(key)=\(Self.shown.contains(key) ? value : "****")" }
        return "\(scheme)://\(userInfo)\(hosts)\(database)\(query.isEmpty ? "" : "?")\(query.joined(separator: "&"))"
    }

    /// Passwords, as they were written and percent-decoded, longest first.
    var secrets: [String] {
        let keys: Set<Substring> = ["password", "sslpassword"]
        let written = [password].compactMap(\.self) + parameters.filter { keys.contains($0.key) }.map(\.value)
        let all = Set(written.flatMap { [String($0), PercentEncoding.decoded($0) ?? ""] })
        return all.filter { !$0.isEmpty }.sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
    }
}
