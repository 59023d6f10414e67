/// How a session is opened.
package struct SessionOptions: Sendable {
    /// PostgreSQL's `application_name`: `muster/<runner>`.
    package var applicationName: String
    /// Nothing may be written: SQLite opens with `query_only`, an authorizer that lets only reads pass and no checkpoint
    /// on close. PostgreSQL ignores it here; its callers begin READ ONLY transactions.
    package var isReadOnly: Bool
    /// SQLite: create the file when it is missing. Tenants never are created.
    package var createsFile: Bool
    /// SQLite: how long to wait for a busy file.
    package var busyTimeout: Duration
    /// SQLite: whether a commit has reached the disk when it is answered (`PRAGMA synchronous`, FULL or NORMAL).
    package var isFullySynchronous: Bool

    package init(
        applicationName: String, isReadOnly: Bool = false, createsFile: Bool = false,
        busyTimeout: Duration = .seconds(5), isFullySynchronous: Bool = true
    ) {
        self.applicationName = applicationName
        self.isReadOnly = isReadOnly
        self.createsFile = createsFile
        self.busyTimeout = busyTimeout
        self.isFullySynchronous = isFullySynchronous
    }
}

/// Opens sessions; the command line gives one that knows every driver.
package protocol SessionOpener: Sendable {
    /// - Throws: `.unreachable` or `.rejected`, with the address but never the password.
    func open(_ url: ConnectionURL, _ options: SessionOptions) throws(DatabaseError) -> any DatabaseSession

    /// Says that sessions with these words will be opened in a moment; they may be begun meanwhile.
    func expect(_ count: Int, at url: ConnectionURL, _ options: SessionOptions)

    /// Closes a session that is not needed any more, at the latest with `end`.
    func part(with session: any DatabaseSession)

    /// Closes what it was left. Called when the process has nothing more to say.
    func end()

    /// The lock file beside a SQLite ledger, as one holder of locks (one open file description).
    func openLockFile(beside ledger: ConnectionURL) throws(DatabaseError) -> any AdvisoryLocks
}

extension SessionOpener {
    package func expect(_ count: Int, at url: ConnectionURL, _ options: SessionOptions) {}

    package func part(with session: any DatabaseSession) { session.close() }

    package func end() {}
}
