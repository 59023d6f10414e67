import DatabaseAccess

/// What libpq is told when a connection is made. Of two values for one keyword the later counts
/// (libpq, 34.1 "PQconnectdbParams").
struct ConnectionParameters {
    private(set) var keywords: [String] = []
    private(set) var values: [String] = []

    /// No `options`: poolers refuse or drop them.
    init(_ url: ConnectionURL, applicationName: String) {
        // Defaults, which the URL may change: a peer that is gone is noticed within a minute.
        add("keepalives_idle", "30")
        add("keepalives_interval", "10")
        add("keepalives_count", "3")
        add("tcp_user_timeout", "60000")
        add("dbname", url.revealed)
        // Fixed: holders of locks are recognised by the name, and everything read is UTF-8.
        add("application_name", applicationName)
        add("client_encoding", "UTF8")
    }

    private mutating func add(_ keyword: String, _ value: String) {
        keywords.append(keyword)
        values.append(value)
    }
}
