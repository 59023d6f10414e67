package import DatabaseAccess
import Foundation
import RunbookModel

/// The ledger of one workspace, over one session that one thread owns.
///
/// Every method is one statement or one transaction; a crash between two of them leaves a state that the next runner
/// understands.
package final class Ledger {
    package let session: any DatabaseSession
    package let sql: LedgerSQL
    package let workspace: String

    private init(session: any DatabaseSession, sql: LedgerSQL, workspace: String) {
        self.session = session
        self.sql = sql
        self.workspace = workspace
    }

    package var dialect: DatabaseDialect { session.dialect }

    /// Opens the ledger for reading. Writes nothing; the caller keeps every question in `reading`.
    ///
    /// - Throws: `.missing` when there is no ledger, `.newer`, `.failed` when it must be upgraded first.
    package static func read(
        _ session: any DatabaseSession, schema: String, workspace: String
    ) throws(LedgerError) -> Ledger {
        let ledger = Ledger(
            session: session, sql: LedgerSQL(dialect: session.dialect, schema: schema), workspace: workspace)
        let found: Int?
        do { found = try ledger.reading { () throws(DatabaseError) in try ledger.version() } } catch {
            throw LedgerError(error)
        }
        guard let found else { throw LedgerError(.missing, "There is no ledger yet; `muster apply` creates it.") }
        try ledger.refuseNewer(found)
        guard found == LedgerSchema.version else {
            throw LedgerError(
                .failed,
                "The ledger has version \(found), this muster needs \(LedgerSchema.version); `muster apply` upgrades it."
            )
        }
        return ledger
    }

    /// Opens the ledger for writing; creates or upgrades it under a lock when that is needed.
    ///
    /// - Throws: `.newer`, `.busy`, `.unreachable`, `.failed`.
    package static func open(
        _ session: any DatabaseSession, schema: String, workspace: String
    ) throws(LedgerError) -> Ledger {
        let ledger = Ledger(
            session: session, sql: LedgerSQL(dialect: session.dialect, schema: schema), workspace: workspace)
        do {
            if session.dialect == .sqlite {
                // sqlite.org/wal.html: readers do not block the writer. The mode stays in the file.
                try session.execute("PRAGMA journal_mode = WAL")
            }
            if let found = try ledger.version() {
                try ledger.refuseNewer(found)
                if found == LedgerSchema.version { return ledger }
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
        try session.withTransaction(sql.beginReadOnly, body)
    }

    /// Runs `body` in one transaction that may write.
    package func writing<Answer>(_ body: () throws(DatabaseError) -> Answer) throws(DatabaseError) -> Answer {
        try session.withTransaction(sql.begin, body)
    }

    /// The version in the database, or nil when there is no ledger.
    func version() throws(DatabaseError) -> Int? {
        let exists =
            switch dialect {
            case .postgresql:
                try session.row("select pg_catalog.to_regclass($1) is not null", [.text(sql.ledger)])
            case .sqlite:
                try session.row("select count(*) from sqlite_schema where type = 'table' and name = 'muster_ledger'")
            }
        guard exists?[0].boolean == true else { return nil }
        return try session.row("select version from \(sql.ledger)")?[0].integer
    }

    private func refuseNewer(_ found: Int) throws(LedgerError) {
        guard found > LedgerSchema.version else { return }
        throw LedgerError(
            .newer,
            "The ledger has version \(found), but this muster knows only \(LedgerSchema.version). Use a newer muster.")
    }

    /// Creates or upgrades in one transaction. In PostgreSQL under an advisory lock that is tried, never waited for in
    /// the call: a blocked waiter would hold up a concurrent index build.
    private func upgrade() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !upgradeOnce() {
            if ContinuousClock.now > deadline {
                throw LedgerError(.busy, "Somebody else is creating or upgrading the ledger. Try again later.")
            }
            Thread.sleep(forTimeInterval: .random(in: 0.02...0.1))
        }
    }

    private func upgradeOnce() throws -> Bool {
        try writing { () throws(DatabaseError) -> Bool in
            if dialect == .postgresql {
                // No workspace can have that name: it holds a slash.
                let key = LockKey.workspace("#ledger/\(sql.schema)")
                let locked = try session.row("select pg_catalog.pg_try_advisory_xact_lock($1)", [.integer(key)])
                guard locked?[0].boolean == true else { return false }
                try session.run("set local search_path = pg_catalog, pg_temp")
            }
            let found = try version() ?? 0
            guard found < LedgerSchema.version else { return true }
            for next in (found + 1)...LedgerSchema.version {
                try session.run(LedgerSchema.upgrade(to: next, sql))
            }
            if let functions = LedgerSchema.functions(sql) { try session.run(functions) }
            try execute(
                "update \(sql.ledger) set version = $1, upgraded_at = \(sql.now)",
                [.integer(Int64(LedgerSchema.version))])
            return true
        }
    }

    // MARK: Statements in the dialect's spelling

    @discardableResult
    func execute(_ statement: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) -> StatementResult {
        try session.execute(sql.text(statement), parameters)
    }

    func row(_ statement: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) -> DatabaseRow? {
        try session.row(sql.text(statement), parameters)
    }

    func rows(_ statement: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) -> [DatabaseRow] {
        try session.rows(sql.text(statement), parameters)
    }
}
