import DatabaseAccess
import LedgerStore
import RunbookModel

/// A worker's connection to the database of the tenant at hand, kept while the next tenant lives there too.
final class TenantConnection {
    let session: any DatabaseSession
    let url: String
    let synchronous: Synchronous
    /// nil for SQLite.
    let place: ServerPlace?
    /// nil for SQLite.
    let receipts: PostgresReceipts?
    /// Whether a pooler shares it; nil: not asked yet.
    var isShared: Bool?

    init(
        session: any DatabaseSession, url: String, synchronous: Synchronous = .full, place: ServerPlace?,
        receipts: PostgresReceipts?
    ) {
        self.session = session
        self.url = url
        self.synchronous = synchronous
        self.place = place
        self.receipts = receipts
    }

    /// Ends what a failed message left behind. False when the connection cannot be used any more.
    func recover() -> Bool {
        guard session.isUsable else { return false }
        do throws(DatabaseError) {
            let rollback = session.isInTransaction ? "ROLLBACK; " : ""
            // One message: behind a pooler the next one may meet another server.
            let reset = session.dialect == .postgresql ? SessionReset.text : ""
            try session.run(rollback + reset)
            return session.isUsable
        } catch {
            session.close()
            return false
        }
    }
}

/// Takes back everything a script may have left on a PostgreSQL connection, inside a message and outside of one.
///
/// DISCARD ALL would do it, but is refused in a message of several statements; DISCARD PLANS is left out, because the
/// next call of the ledger's functions would cost twice as much (PostgreSQL manual, DISCARD).
enum SessionReset {
    /// Keeps session advisory locks: for connections on which Muster holds its own.
    static let keepingLocks = """
        CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; DISCARD TEMP; \
        DISCARD SEQUENCES;
        """
    static let unlocking = "SELECT pg_catalog.pg_advisory_unlock_all();"
    static let text = keepingLocks + " " + unlocking
    /// The same, one by one.
    static let statements = text.split(separator: ";").map { String($0.drop { $0 == " " }) }
    /// Behind a script, so that nothing of the tenant's answers what is Muster's own.
    static let beforeRecord = "SET SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = pg_catalog, pg_temp;"
    /// Between two scripts of one transaction, before what they have set is taken back with a step.
    static let beforeStep = "CLOSE ALL; DEALLOCATE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES;"
    /// Behind a record, before which the session's own role was taken back. `unlocking` follows it: a script's session
    /// locks are given back here and not earlier, since others may wait for one until its effect is committed.
    static let afterRecord = "CLOSE ALL; RESET ALL; DEALLOCATE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES;"
}
