import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// The connections of one worker: one to the tenant's database, kept while the next tenant lives there too, and one
/// holder of locks for tenants that have none of their own.
final class WorkerConnections {
    private let context: RunContext
    private var current: TenantConnection?
    private var holder: (locks: any AdvisoryLocks, session: (any DatabaseSession)?)?

    init(context: RunContext) {
        self.context = context
    }

    var receiptsAreLocal: Bool { current?.receipts?.isLocal ?? false }

    /// A connection for a tenant: the one at hand when it leads to the same place.
    ///
    /// - Parameters:
    ///   - isDirect: for work that a pooler in transaction mode would break.
    ///   - lockWait: no single wait for a busy file is longer.
    func connection(
        to target: TenantTarget, isDirect: Bool, lockWait: Duration
    ) throws(DatabaseError) -> TenantConnection {
        let address = (isDirect ? target.directURL : nil) ?? target.url
        if let current, current.url == address.revealed, current.synchronous == target.synchronous,
            current.session.isUsable
        {
            return current
        }
        // Two at once would be one more than this worker may have.
        current?.session.closeAndWait()
        current = nil
        let url = try ConnectionURL(parsing: address.revealed)
        let session = try context.opener.open(
            url,
            SessionOptions(
                applicationName: context.applicationName, busyTimeout: min(.seconds(5), lockWait),
                isFullySynchronous: target.synchronous == .full))
        let made: TenantConnection
        do throws(DatabaseError) {
            let sql = LedgerSQL(dialect: .postgresql, schema: context.manifest.ledger.schema)
            let (place, receipts) = try look(at: session, address, sql)
            made = TenantConnection(
                session: session, url: address.revealed, synchronous: target.synchronous, place: place,
                receipts: receipts)
        } catch {
            session.close()
            throw error
        }
        current = made
        return made
    }

    /// Where a session leads, and where its tenants' receipts are, which is seen to; nil for a file.
    private func look(
        at session: any DatabaseSession, _ address: Redacted, _ sql: LedgerSQL
    ) throws(DatabaseError) -> (place: ServerPlace?, receipts: PostgresReceipts?) {
        if address.revealed == context.manifest.ledger.url.revealed, let ledger = context.ledgerPlace,
            let place = try ServerPlace.beside(ledger, session, sql, runner: context.runner)
        {
            return (place, PostgresReceipts(sql: sql, isLocal: true))
        }
        guard let (place, presence) = try ServerPlace.of(session, receipts: sql) else { return (nil, nil) }
        var isLocal = place.database == context.ledgerPlace?.database
        if isLocal { isLocal = try PostgresReceipts.isBesideLedger(session, sql, runner: context.runner) }
        let receipts = PostgresReceipts(sql: sql, isLocal: isLocal)
        try receipts.ensureTable(in: session, found: presence)
        return (place, receipts)
    }

    /// Whether a pooler shares the connection with others, so that no session can be kept on it.
    func isShared(_ connection: TenantConnection, isDirect: Bool) throws(DatabaseError) -> Bool {
        guard let place = connection.place else { return false }
        if let known = connection.isShared { return known }
        let check = PoolerCheck(
            url: Redacted(connection.url), isDirect: isDirect, mode: context.manifest.tenants.target.pooler)
        let isShared = try check.refuses(connection.session, place, context.opener)
        connection.isShared = isShared
        return isShared
    }

    /// Locks of tenants that live in SQLite files: at the ledger, on its lock file or a session of its own.
    func ledgerLocks() throws(DatabaseError) -> any AdvisoryLocks {
        if let holder, holder.session?.isUsable != false { return holder.locks }
        let settings = context.manifest.ledger
        let url = try ConnectionURL(parsing: (settings.directURL ?? settings.url).revealed)
        switch context.ledgerDialect {
        case .sqlite:
            let locks = try context.opener.openLockFile(beside: url)
            holder = (locks, nil)
            return locks
        case .postgresql:
            let session = try context.opener.open(url, SessionOptions(applicationName: context.applicationName))
            let check = PoolerCheck(
                url: settings.directURL ?? settings.url, isDirect: settings.directURL != nil, mode: settings.pooler)
            if let place = try ServerPlace.of(session), try check.refuses(session, place, context.opener) {
                session.close()
                throw DatabaseError(
                    .refused, "the locks of tenants in files need a session, but \(PoolerCheck.finding)",
                    hint: PoolerCheck.advice)
            }
            let locks = SessionAdvisoryLocks(on: session)
            holder = (locks, session)
            return locks
        }
    }

    /// The session that holds those locks; nil when a file does.
    func ledgerLockSession() throws(DatabaseError) -> (any DatabaseSession)? {
        _ = try ledgerLocks()
        return holder?.session
    }

    /// Closes them and waits until the servers have parted with the sessions, so that others may have the room.
    func closeAndWait() { each { $0.closeAndWait() } }

    /// Closes them without the wait.
    func close() { each { $0.close() } }

    /// Closes them once the process has said all it has to say.
    func part() { each { context.opener.part(with: $0) } }

    private func each(_ ending: (any DatabaseSession) -> Void) {
        if let current { ending(current.session) }
        if let session = holder?.session { ending(session) }
        current = nil
        holder = nil
    }
}
