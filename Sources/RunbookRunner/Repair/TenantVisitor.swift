import DatabaseAccess
import FoundationEssentials
import Groundwork
import LedgerStore
import RunbookModel

/// Visits tenants one after the other for the verbs that set records right, on the ledger's thread.
///
/// A look writes nothing. A change holds the tenant's lock from before the records are read until they are written.
final class TenantVisitor {
    let ledger: Ledger
    private let manifest: Manifest
    private let opener: any SessionOpener
    private let application: String
    private let lockWait: Duration
    private var holder: (locks: any AdvisoryLocks, session: (any DatabaseSession)?)?

    /// A tenant's place, inside a transaction of Muster's own.
    struct Place {
        let session: any DatabaseSession
        /// nil where the record in the ledger is the receipt.
        let book: ReceiptBook?
        let member: TenantSet.Member
        let deadline: ContinuousClock.Instant
    }

    /// What is to be written once the receipts are right.
    struct Change {
        var records: [RecordChange] = []
        /// What was done besides, for the audit.
        var acts: [String] = []
    }

    init(
        ledger: Ledger, manifest: Manifest, opener: any SessionOpener, application: String, lockWait: Duration
    ) {
        self.ledger = ledger
        self.manifest = manifest
        self.opener = opener
        self.application = application
        self.lockWait = lockWait
    }

    deinit { holder?.session?.close() }

    /// Reads a tenant's receipts where nothing can be written.
    func look<Answer>(
        at member: TenantSet.Member, _ body: (Place) throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        let session = try open(member, isReadOnly: true)
        defer { session.close() }
        return try session.withTransaction(ReceiptBook.begin(session.dialect, isReadOnly: true)) {
            () throws(DatabaseError) in
            try body(try place(member, session, until: .now))
        }
    }

    /// Sets a tenant right under its lock: first its receipts, then the ledger's records. A crash in between leaves
    /// receipts that are ahead; the same verb, called again, lets the ledger follow.
    ///
    /// - Throws: `.busy` when the lock was not free in time.
    func change(
        _ member: TenantSet.Member, note: AuditNote, _ body: (Place) throws(DatabaseError) -> Change
    ) throws(DatabaseError) -> [Identity] {
        let session = try open(member, isReadOnly: false)
        defer { session.close() }
        let keys = TenantKeys(workspace: manifest.workspace, tenant: member.tenant.id)
        let deadline = ContinuousClock.now + lockWait
        switch session.dialect {
        case .postgresql:
            try patiently(until: deadline, keys, on: session) { () throws(DatabaseError) in
                try begin(session, keys)
            }
        case .sqlite:
            let lock = TenantLock(locks: try ledgerLocks(), keys: keys)
            try patiently(until: deadline, keys, on: holder?.session) { () throws(DatabaseError) in try lock.take() }
            defer { lock.giveBack() }
            try session.run("BEGIN IMMEDIATE")
            return try written(session, member, note, deadline, body)
        }
        return try written(session, member, note, deadline, body)
    }

    private func written(
        _ session: any DatabaseSession, _ member: TenantSet.Member, _ note: AuditNote,
        _ deadline: ContinuousClock.Instant, _ body: (Place) throws(DatabaseError) -> Change
    ) throws(DatabaseError) -> [Identity] {
        let place = try place(member, session, until: deadline)
        let change = try body(place)
        // First: a crash may leave a reason without its change, never a change without its reason.
        for act in change.acts { try ledger.audit(note, member.tenant.id, nil, detail: act) }
        // In the ledger's own database the transaction holds the lock and nothing else.
        if place.book != nil {
            try Failpoint.reach(.settleReceipts, .before)
            try session.commit()
            try Failpoint.reach(.settleReceipts, .after)
        }
        let written = try ledger.change(change.records, tenant: member.tenant.id, note: note)
        if place.book == nil { try session.commit() }
        return written
    }

    // MARK: Connections

    private func open(_ member: TenantSet.Member, isReadOnly: Bool) throws(DatabaseError) -> any DatabaseSession {
        let url = try ConnectionURL(parsing: member.target.url.revealed)
        return try opener.open(url, SessionOptions(applicationName: application, isReadOnly: isReadOnly))
    }

    private func place(
        _ member: TenantSet.Member, _ session: any DatabaseSession, until deadline: ContinuousClock.Instant
    ) throws(DatabaseError) -> Place {
        var isLocal = false
        if session.dialect == .postgresql, ledger.dialect == .postgresql {
            isLocal = try Self.database(session) == Self.database(ledger.session)
        }
        let book = ReceiptBook(
            in: session, schema: manifest.ledger.schema, workspace: manifest.workspace, tenant: member.tenant.id,
            holdsOneTenant: member.target.holdsOneTenant)
        return Place(session: session, book: isLocal ? nil : book, member: member, deadline: deadline)
    }

    /// Names a database of a server that is up: two sessions that get the same answer at one moment are in the same one.
    private static func database(_ session: any DatabaseSession) throws(DatabaseError) -> String? {
        let row = try session.row(
            """
            select d.oid::pg_catalog.text, pg_catalog.pg_postmaster_start_time()::pg_catalog.text
            from pg_catalog.pg_database d where d.datname operator(pg_catalog.=) pg_catalog.current_database()
            """)
        guard let row, let number = row[0].text, let start = row[1].text else { return nil }
        return number + " " + start
    }

    private func ledgerLocks() throws(DatabaseError) -> any AdvisoryLocks {
        if let holder, holder.session?.isUsable != false { return holder.locks }
        let url = try ConnectionURL(parsing: (manifest.ledger.directURL ?? manifest.ledger.url).revealed)
        switch ledger.dialect {
        case .sqlite:
            let locks = try opener.openLockFile(beside: url)
            holder = (locks, nil)
            return locks
        case .postgresql:
            let session = try opener.open(url, SessionOptions(applicationName: application))
            let locks = SessionAdvisoryLocks(on: session)
            holder = (locks, session)
            return locks
        }
    }

    // MARK: The lock

    /// Tries, never waits in the call. In its second half the wait ends a holder whose runner is gone.
    private func patiently(
        until deadline: ContinuousClock.Instant, _ keys: TenantKeys, on session: (any DatabaseSession)?,
        _ take: () throws(DatabaseError) -> Bool
    ) throws(DatabaseError) {
        var ended: LockHolder?
        while try !take() {
            let holder = try session.flatMap { session throws(DatabaseError) in try LockHolder.of(keys, in: session) }
            let left = deadline - .now
            if let holder, let session, holder != ended, left <= lockWait / 2, try isGone(holder) {
                try holder.end(in: session)
                ended = holder
            } else if left <= .zero, ended == nil || left < .seconds(-2) {
                let who = holder.map { "by \($0.application) (pid \($0.pid))" } ?? "by somebody else"
                throw DatabaseError(.busy, "the tenant's lock is held \(who)")
            }
            blockThread(for: .milliseconds(.random(in: 20...100)))
        }
    }

    private func begin(_ session: any DatabaseSession, _ keys: TenantKeys) throws(DatabaseError) -> Bool {
        try session.begin(ReceiptBook.begin(.postgresql, isReadOnly: false))
        func ask(_ call: String, _ key: Int64) throws(DatabaseError) -> Bool {
            try session.row("select \(call)($1::int8)", [.integer(key)])?[0].boolean == true
        }
        // Whoever reserves the whole workspace holds the gate, and goes first.
        if try ask("pg_try_advisory_lock_shared", keys.gate), try ask("pg_advisory_unlock_shared", keys.gate),
            try ask("pg_try_advisory_xact_lock_shared", keys.workspace),
            try ask("pg_try_advisory_xact_lock", keys.tenant)
        {
            return true
        }
        try session.rollback()
        return false
    }

    func isGone(_ holder: LockHolder) throws(DatabaseError) -> Bool {
        guard let runner = holder.runner else { return false }
        return try ledger.isGone(runner)
    }

    // MARK: What a dead runner left

    /// Waits out, then ends, what may still be going on of an attempt without an end; the lock is held meanwhile.
    ///
    /// - Throws: `.busy` when it goes on past the lock wait and may not be ended.
    func clear(_ identity: Identity, at place: Place) throws(DatabaseError) {
        let tenant = place.member.tenant.id
        let attempts = AttemptPlace(
            sql: LedgerSQL(dialect: place.session.dialect, schema: manifest.ledger.schema), isLocal: place.book == nil,
            workspace: manifest.workspace, tenant: tenant, holdsOneTenant: place.member.target.holdsOneTenant,
            identity: identity)
        while true {
            let backend =
                place.session.dialect == .postgresql ? try attempts.backend(in: place.session) : nil
            let left = place.deadline - .now
            if let backend {
                if left <= lockWait / 2, try isGone(backend) { try backend.end(in: place.session) }
            } else {
                guard let attempt = try attempts.previousAttempt(in: place.session), attempt.isUnseen else { return }
                let leftover = Leftover(
                    attempt: attempt, host: ProcessInfo.processInfo.hostName,
                    idempotencyKey: Leftover.idempotencyKey(manifest.workspace, tenant, identity))
                if leftover.clear() { return }
            }
            guard left > .seconds(-2) else {
                throw DatabaseError(.busy, "its last attempt may still be going on")
            }
            blockThread(for: .milliseconds(100))
        }
    }
}
