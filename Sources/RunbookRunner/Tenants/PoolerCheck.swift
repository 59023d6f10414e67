import DatabaseAccess
import RunbookModel

/// Whether what needs a session of its own may run on a connection.
struct PoolerCheck {
    let url: Redacted
    /// It was given as the way around a pooler, of which `mode` speaks.
    let isDirect: Bool
    let mode: PoolerMode?

    static let finding = "a pooler stands in between that shares connections between transactions."
    static let advice =
        "Give a direct_url beside url (or set DIRECT_URL), or say pooler: \"session\" if that is what it is."

    /// Where it listens, without the database; empty when the address cannot be read.
    var server: String {
        do throws(DatabaseError) { return try ConnectionURL(parsing: url.revealed).server } catch { return "" }
    }

    /// Opens a connection to find out. What cannot be reached is not refused here: it fails for its own reason.
    func refuses(_ opener: any SessionOpener) throws(ServiceError) -> Bool {
        guard !url.revealed.hasPrefix("sqlite:") else { return false }
        do throws(DatabaseError) {
            let address = try ConnectionURL(parsing: url.revealed)
            let session = try opener.open(address, SessionOptions(applicationName: "muster/pooler"))
            defer { session.close() }
            guard let place = try ServerPlace.of(session) else { return false }
            return try refuses(session, place, opener)
        } catch {
            guard error.code == .misuse else { return false }
            throw ServiceError(.pooler, error.message)
        }
    }

    func refuses(
        _ session: any DatabaseSession, _ place: ServerPlace, _ opener: any SessionOpener
    ) throws(DatabaseError) -> Bool {
        if mode == .transaction, !isDirect { return true }
        guard place.isPooled, mode != .session else { return false }
        return try sharesConnections(session, opener)
    }

    /// A second connection opens a transaction: where connections are shared it gets the first one's server, or pushes
    /// the first one to another. Asked three times, since a pool with idle servers may hide it.
    private func sharesConnections(
        _ session: any DatabaseSession, _ opener: any SessionOpener
    ) throws(DatabaseError) -> Bool {
        let other = try opener.open(
            try ConnectionURL(parsing: url.revealed), SessionOptions(applicationName: "muster/pooler"))
        defer { other.close() }
        for _ in 0..<3 {
            let before = try backend(session)
            try other.run("BEGIN READ ONLY")
            let taken = try backend(other)
            let after = try backend(session)
            try other.run("ROLLBACK")
            if taken == before || after != before { return true }
        }
        return false
    }

    private func backend(_ session: any DatabaseSession) throws(DatabaseError) -> Int? {
        try session.row("SELECT pg_catalog.pg_backend_pid()")?[0].integer
    }
}
