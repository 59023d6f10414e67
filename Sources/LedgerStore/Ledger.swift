package import DatabaseAccess
import Groundwork
import RunbookModel

/// The ledger of one workspace, over one session that one thread owns.
///
/// Every method is one statement or one transaction; a crash between two of them leaves a state that the next runner
/// understands.
package final class Ledger {
    package let session: any DatabaseSession
    package let sql: LedgerSQL
    package let workspace: String
    /// How many tenants the workspace had when they were last seen, as read when the ledger was opened for reading; nil
    /// when it has never seen one.
    package private(set) var seenTenants: Int?

    private let upgrades: [LedgerSchema.Upgrade]

    private init(
        _ session: any DatabaseSession, _ schema: String, _ workspace: String, _ upgrades: [LedgerSchema.Upgrade]
    ) {
        self.session = session
        sql = LedgerSQL(dialect: session.dialect, schema: schema)
        self.workspace = workspace
        self.upgrades = upgrades
    }

    package var dialect: DatabaseDialect { session.dialect }

    /// Opens the ledger for reading. Writes nothing; the caller keeps every question in `reading`.
    ///
    /// - Throws: `.missing` when there is no ledger, `.newer`, `.older` when it must be upgraded first.
    package static func read(
        _ session: any DatabaseSession, schema: String, workspace: String,
        upgrades: [LedgerSchema.Upgrade] = LedgerSchema.upgrades
    ) throws(LedgerError) -> Ledger {
        let ledger = Ledger(session, schema, workspace, upgrades)
        let found: Int?
        do {
            found = try ledger.greeting()
        } catch {
            throw LedgerError(error)
        }
        guard let found else { throw LedgerError(.missing, "There is no ledger yet; `muster apply` creates it.") }
        try ledger.refuseOther(found)
        return ledger
    }

    /// Looks whether the ledger still is what it was when it was opened, and asks one thing more with it.
    ///
    /// - Throws: `.newer` when somebody has upgraded it meanwhile.
    package func readAgain<Answer>(with question: LedgerQuestion<Answer>) throws(LedgerError) -> Answer {
        let (version, answer): (Int, Answer)
        do throws(DatabaseError) {
            (version, answer) = try reading(
                LedgerQuestion("select version from \(sql.ledger)", []) { $0.first?[0].integer ?? 0 }, question)
        } catch {
            throw LedgerError(error)
        }
        try refuseOther(version)
        return answer
    }

    /// Opens the ledger for writing; creates or upgrades it under a lock when that is needed.
    ///
    /// - Throws: `.newer`, `.busy`, `.unreachable`, `.failed`.
    package static func open(
        _ session: any DatabaseSession, schema: String, workspace: String,
        upgrades: [LedgerSchema.Upgrade] = LedgerSchema.upgrades
    ) throws(LedgerError) -> Ledger {
        let ledger = Ledger(session, schema, workspace, upgrades)
        do {
            if session.dialect == .sqlite { try ledger.keepWriteAheadLog() }
            if let found = try ledger.version() {
                try ledger.refuseNewer(found)
                if found == upgrades.count { return ledger }
            }
            try ledger.upgrade()
        } catch let error as LedgerError {
            throw error
        } catch let error as DatabaseError {
            throw LedgerError(error)
        } catch {
            throw LedgerError(.failed, "\(error)")
        }
        return ledger
    }

    /// Asks `body`'s questions where nothing can be written.
    package func reading<Answer>(_ body: () throws(DatabaseError) -> Answer) throws(DatabaseError) -> Answer {
        try session.withTransaction([sql.beginReadOnly] + sql.ownPath, body)
    }

    /// Runs `body` in one transaction that may write.
    ///
    /// - Parameter isUnhurried: whether it need not be on the disk when this returns.
    package func writing<Answer>(
        isUnhurried: Bool = false, _ body: () throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        try session.withTransaction([sql.begin] + sql.ownPath + (isUnhurried ? sql.unhurried : []), body)
    }

    /// Turns to the write-ahead log, so that readers do not block the writer (sqlite.org/wal.html). The mode stays in
    /// the file; changing it needs the file alone, and SQLite does not wait for that by itself.
    private func keepWriteAheadLog() throws(DatabaseError) {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do throws(DatabaseError) {
                if try session.row("PRAGMA journal_mode")?[0].text == "wal" { return }
                try session.execute("PRAGMA journal_mode = WAL")
                return
            } catch  where error.code == .busy && ContinuousClock.now < deadline {
                blockThread(for: .milliseconds(.random(in: 10...50)))
            }
        }
    }

    /// The version in the database, or nil when there is no ledger.
    func version() throws(DatabaseError) -> Int? {
        let exists =
            switch dialect {
            case .postgresql:
                try row("select pg_catalog.to_regclass($1) is not null", [.text(sql.ledger)])
            case .sqlite:
                try row("select count(*) from sqlite_schema where type = 'table' and name = 'muster_ledger'")
            }
        guard exists?[0].boolean == true else { return nil }
        return try row("select version from \(sql.ledger)")?[0].integer
    }

    /// The version; and, if it is the one we know, how many tenants were seen last. nil when there is no ledger.
    private func greeting() throws(DatabaseError) -> Int? {
        if dialect == .postgresql {
            do throws(DatabaseError) {
                let question = DatabaseQuestion(
                    """
                    select version, (select tenant_count from \(sql.workspaces) where workspace = $1)
                    from \(sql.ledger)
                    """, [.text(workspace)])
                let seen = try asked([question], in: sql.beginReadOnly)[0].first
                // None and nothing left of some are told apart below, by one question more.
                if seen?[0].integer == upgrades.count, let count = seen?[1].integer, count > 0 {
                    seenTenants = count
                    return upgrades.count
                }
            } catch  where error.code == .statement && session.isUsable {
                // Not there, or of another version: asked again, one thing after the other.
            }
        }
        return try reading { () throws(DatabaseError) in
            let version = try version()
            if version == upgrades.count { seenTenants = try lastTenantCount() }
            return version
        }
    }

    /// When it was made, in milliseconds since 1970: no other ledger has the same.
    package func born() throws(DatabaseError) -> Int? {
        try row("select \(sql.milliseconds("created_at")) from \(sql.ledger)")?[0].integer
    }

    /// Refuses every version but the one we know.
    private func refuseOther(_ found: Int) throws(LedgerError) {
        try refuseNewer(found)
        guard found != upgrades.count else { return }
        throw LedgerError(
            .older,
            "The ledger has version \(found), and this muster, which only reads here, needs \(upgrades.count). Upgrade "
                + "it first: `muster apply` does that before it looks for work, also with the manifest that is deployed "
                + "already, where there is nothing else to do. Older musters are refused from then on.")
    }

    private func refuseNewer(_ found: Int) throws(LedgerError) {
        guard found > upgrades.count else { return }
        throw LedgerError(
            .newer,
            "The ledger has version \(found), but this muster knows only \(upgrades.count). Use a newer muster.")
    }

    /// Creates or upgrades in one transaction. In PostgreSQL under an advisory lock that is tried, never waited for in
    /// the call: a blocked waiter would hold up a concurrent index build.
    private func upgrade() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !upgradeOnce() {
            if ContinuousClock.now > deadline {
                throw LedgerError(.busy, "Somebody else is creating or upgrading the ledger. Try again later.")
            }
            blockThread(for: .milliseconds(.random(in: 20...100)))
        }
    }

    private func upgradeOnce() throws -> Bool {
        let isUpgraded = try writing { () throws(DatabaseError) -> Bool in
            if dialect == .postgresql {
                let key = LockKey.upgrade(schema: sql.schema)
                let locked = try row("select pg_try_advisory_xact_lock($1)", [.integer(key)])
                guard locked?[0].boolean == true else { return false }
                // `IF NOT EXISTS` would ask for the right to create schemas even where there is nothing to create.
                if try row("select to_regnamespace($1) is null", [.text(sql.schema)])?[0].boolean == true {
                    try session.run("create schema \(sql.schema)")
                }
            }
            let found = try version() ?? 0
            guard found < upgrades.count else { return true }
            for upgrade in upgrades[found...] { try session.run(upgrade(sql)) }
            if let functions = LedgerSchema.functions(sql) { try session.run(functions) }
            try execute(
                "update \(sql.ledger) set version = $1, upgraded_at = \(sql.now)",
                [.integer(Int64(upgrades.count))])
            try Failpoint.reach(.ledgerUpgrade, .before)
            return true
        }
        try Failpoint.reach(.ledgerUpgrade, .after)
        return isUpgraded
    }

    // MARK: Statements in the dialect's spelling

    @discardableResult
    func query(
        _ statement: String, _ parameters: [DatabaseValue] = [], aloneIn beginning: String? = nil,
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        let text = sql.text(statement)
        guard dialect == .postgresql, !session.isInTransaction else {
            return try session.query(text, parameters, forEach: body)
        }
        // Alone it would run under the role's own search_path and isolation.
        return try session.query(
            text, parameters, inTransaction: [beginning ?? sql.begin] + sql.ownPath, endedBy: ["COMMIT"], forEach: body)
    }

    /// Runs a statement whose answer matters.
    func result(of statement: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) -> StatementResult {
        try query(statement, parameters) { row throws(DatabaseError) in }
    }

    /// Runs a statement for its effect; in PostgreSQL it may be sent with those that follow in the transaction.
    func execute(_ statement: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) {
        let text = sql.text(statement)
        guard dialect == .postgresql, !session.isInTransaction else { return try session.enqueue(text, parameters) }
        try writing { () throws(DatabaseError) in try session.enqueue(text, parameters) }
    }

    /// Asks several things in a transaction of their own: in PostgreSQL one message.
    ///
    /// - Parameter beginning: what opens it.
    func asked(_ questions: [DatabaseQuestion], in beginning: String) throws(DatabaseError) -> [[DatabaseRow]] {
        try session.begin([beginning] + sql.ownPath)
        return try session.rollingBackOnFailure { () throws(DatabaseError) in try answers(to: questions, commits: true)
        }
    }

    /// Asks several things inside a transaction: in PostgreSQL one message, with what waits to be sent.
    ///
    /// - Parameter commits: whether the transaction ends with them.
    func answers(to questions: [DatabaseQuestion], commits: Bool = false) throws(DatabaseError) -> [[DatabaseRow]] {
        try session.rows(
            of: questions.map { DatabaseQuestion(sql.text($0.sql), $0.parameters) }, commits: commits)
    }

    func row(_ statement: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) -> DatabaseRow? {
        try rows(statement, parameters).first
    }

    func rows(_ statement: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) -> [DatabaseRow] {
        var rows: [DatabaseRow] = []
        try query(statement, parameters) { row throws(DatabaseError) in rows.append(row) }
        return rows
    }
}
