import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// A transactional script in a SQLite file: receipt read, script, checks and receipt, inside an immediate transaction
/// that its stage begins and ends. The tenant's lock is held by the worker already.
struct SQLiteScript {
    let runbook: Runbook
    let script: SQLScript
    let target: TenantTarget
    let ticket: ClaimTicket
    let session: any DatabaseSession
    let wait: FileWait

    /// - Returns: why there is no transaction; nil when there is one.
    func begin() -> ActionEnd? {
        do throws(DatabaseError) {
            // Ignored inside a transaction (sqlite.org/pragma.html#pragma_foreign_keys): with enforcement on, the usual
            // rebuild of a table would empty the tables that refer to it.
            try session.run("PRAGMA foreign_keys = \(runbook.foreignKeys ? "ON" : "OFF")")
            try Failpoint.reach(.sqliteBegin, .before)
            try session.run("BEGIN IMMEDIATE")
            try Failpoint.reach(.sqliteBegin, .after)
            return nil
        } catch {
            return error.code == .busy ? .fileBusy : failed(error, offset: nil, statement: nil)
        }
    }

    /// - Returns: why the transaction was not committed; nil when it was.
    func commit() -> ActionEnd? {
        do throws(DatabaseError) {
            try Failpoint.reach(.sqliteCommit, .before)
            // Whoever reads a file without a write-ahead log keeps it waiting; the work is not thrown away for that.
            try wait.insisting { () throws(DatabaseError) in try session.run("COMMIT") }
            try Failpoint.reach(.sqliteCommit, .after)
            return nil
        } catch {
            return error.code == .busy ? .fileBusy : failed(error, offset: nil, statement: nil)
        }
    }

    /// Claims, runs, checks and records. Only after a success may the transaction go on.
    ///
    /// - Parameters:
    ///   - known: the identities of which the file has receipts, as read since the tenant was locked: another needs not be
    ///     looked for, since its receipt could not be written twice. nil before they were read.
    ///   - isFollowed: other scripts come before the commit: foreign keys that SQLite would look at only then are looked
    ///     at now, so that the right one is to blame.
    func inTransaction(_ known: inout Set<Identity>?, isFollowed: Bool) -> ActionEnd {
        let receipts = SQLiteReceipts(session: session)
        // What is undone must have a receipt.
        var isNew = ticket.undoes == nil && known?.contains(ticket.identity) == false
        do throws(DatabaseError) {
            if known == nil {
                try receipts.ensureTable()
                if let survey = try receipts.survey(ticket) {
                    if let (state, found) = survey.disagreement { return refused(state, found) }
                    known = survey.identities
                    isNew = ticket.undoes == nil && !survey.identities.contains(ticket.identity)
                }
            }
            if !isNew, let (state, message) = try receipts.examine(ticket) { return refused(state, message) }
        } catch {
            return failed(error, offset: nil, statement: nil)
        }
        let looksAtKeys = script.changesSchema || (isFollowed && runbook.foreignKeys)
        let violations: [ForeignKeyViolation]
        do throws(DatabaseError) {
            violations = looksAtKeys ? try ForeignKeyViolation.all(in: session) : []
        } catch {
            return failed(error, offset: nil, statement: nil)
        }
        let context = ScriptContext(
            tenant: ticket.tenant,
            settings: Dictionary(target.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            isTransactional: true)
        var rows = 0
        do throws(DatabaseError) {
            try session.run(script.text, as: context) { _, result in rows += result.rowsAffected }
        } catch {
            return failed(error, offset: error.position.map { $0 - 1 }, statement: error.resultsBefore)
        }
        do throws(DatabaseError) {
            if looksAtKeys {
                let new = ForeignKeyViolation.added(to: violations, in: try ForeignKeyViolation.all(in: session))
                guard new.isEmpty else { return failed(new) }
            }
            if let verify = runbook.verify,
                let failure = try SQLiteVerify(
                    runbook: runbook, verify: verify, tenant: ticket.tenant, clean: true
                ).failure(on: session)
            {
                return .failed(failure, isTransient: false, output: nil, counted: false)
            }
            try Failpoint.reach(.sqliteReceipt, .before)
            if isNew {
                try receipts.recordFirst(ticket, rowsAffected: rows)
            } else {
                _ = try receipts.record(ticket, state: ticket.aim, rowsAffected: rows)
            }
            try Failpoint.reach(.sqliteReceipt, .after)
        } catch  where isNew && SQLiteReceipts.meansReceipt(error) {
            return unexpected(error, receipts)
        } catch {
            return error.code == .busy ? .fileBusy : failed(error, offset: nil, statement: nil)
        }
        return .succeeded(rows: rows, output: nil, counted: false)
    }

    /// There is a receipt that was not there. Whose it is shows once the script's own writes are gone.
    private func unexpected(_ error: DatabaseError, _ receipts: SQLiteReceipts) -> ActionEnd {
        do throws(DatabaseError) {
            try session.run("ROLLBACK")
            if let (state, message) = try receipts.examine(ticket) { return refused(state, message) }
        } catch {
            return failed(error, offset: nil, statement: nil)
        }
        return failed(error, offset: nil, statement: nil)
    }

    private func refused(_ state: ClaimState, _ message: String) -> ActionEnd {
        ClaimRefusal(runbook: runbook, tenant: ticket.tenant).end(for: state, message: message)
    }

    private func failed(_ new: [ForeignKeyViolation]) -> ActionEnd {
        let list = new.prefix(3).map(\.description).joined(separator: "; ")
        var failure = runbook.failure(
            tenant: ticket.tenant, "foreign keys are violated after the script: \(list)", clean: true,
            hint: "Keep the referenced rows, or correct the order of the rebuild.")
        failure.file = script.path
        return .failed(failure, isTransient: false, output: nil, counted: false)
    }

    func failed(_ error: DatabaseError, offset: Int?, statement: Int?) -> ActionEnd {
        if error.code == .interrupted { return .interrupted }
        let place = ScriptPlace(script: script, tenant: ticket.tenant, runbook: runbook)
        return .failed(
            place.failure(error, offset: offset, statement: statement, clean: true), isTransient: error.isTransient,
            output: nil, counted: false)
    }
}

extension SQLScript {
    /// Whether it may change the schema: then foreign keys are looked at before and after.
    var changesSchema: Bool {
        statements.contains { statement in
            let first = statement.text.prefix { !$0.isWhitespace }
            return ["CREATE", "DROP", "ALTER"].contains(first.uppercased())
        }
    }
}
