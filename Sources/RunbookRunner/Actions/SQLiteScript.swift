import DatabaseAccess
import Foundation
import LedgerStore
import RunbookModel

/// A transactional script in a SQLite file: receipt read, script, checks and receipt in one immediate transaction. The
/// tenant's lock is held by the worker already.
struct SQLiteScript {
    let runbook: Runbook
    let script: SQLScript
    let target: TenantTarget
    let ticket: ClaimTicket
    let session: any DatabaseSession
    let wait: FileWait

    func run() -> ActionEnd {
        do throws(DatabaseError) {
            // Ignored inside a transaction (sqlite.org/pragma.html#pragma_foreign_keys): with enforcement on, the usual
            // rebuild of a table would empty the tables that refer to it.
            try session.run("PRAGMA foreign_keys = \(runbook.foreignKeys ? "ON" : "OFF")")
            try Failpoint.reach(.sqliteBegin, .before)
            try session.run("BEGIN IMMEDIATE")
            try Failpoint.reach(.sqliteBegin, .after)
        } catch {
            return error.code == .busy ? .fileBusy : failed(error, offset: nil, statement: nil)
        }
        let end = inTransaction()
        if session.isInTransaction {
            do throws(DatabaseError) { try session.run("ROLLBACK") } catch { session.close() }
        }
        return end
    }

    private func inTransaction() -> ActionEnd {
        let receipts = SQLiteReceipts(session: session)
        var rows = 0
        do throws(DatabaseError) {
            try receipts.ensureTable()
            if let (state, found) = try receipts.survey(ticket) {
                return ClaimRefusal(runbook: runbook, tenant: ticket.tenant).end(for: state, message: found)
            }
            if let (state, found) = try receipts.examine(ticket) {
                return ClaimRefusal(runbook: runbook, tenant: ticket.tenant).end(for: state, message: found)
            }
        } catch {
            return failed(error, offset: nil, statement: nil)
        }
        let violations: [ForeignKeyViolation]
        let schemaBefore: Int?
        do throws(DatabaseError) {
            violations = script.changesTables ? try ForeignKeyViolation.all(in: session) : []
            schemaBefore = try schemaVersion()
        } catch {
            return failed(error, offset: nil, statement: nil)
        }
        let context = ScriptContext(
            tenant: ticket.tenant,
            settings: Dictionary(target.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            isTransactional: true)
        do throws(DatabaseError) {
            try session.run(script.text, as: context) { _, result in rows += result.rowsAffected }
        } catch {
            return failed(error, offset: error.position.map { $0 - 1 }, statement: error.resultsBefore)
        }
        do throws(DatabaseError) {
            if try schemaVersion() != schemaBefore {
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
            _ = try receipts.record(ticket, state: .succeeded, rowsAffected: rows)
            try Failpoint.reach(.sqliteReceipt, .after)
            try Failpoint.reach(.sqliteCommit, .before)
            // Whoever reads a file without a write-ahead log keeps it waiting; the work is not thrown away for that.
            try wait.insisting { () throws(DatabaseError) in try session.run("COMMIT") }
            try Failpoint.reach(.sqliteCommit, .after)
        } catch {
            return error.code == .busy ? .fileBusy : failed(error, offset: nil, statement: nil)
        }
        return .succeeded(rows: rows, output: nil, counted: false)
    }

    private func schemaVersion() throws(DatabaseError) -> Int? {
        try session.row("PRAGMA main.schema_version")?[0].integer
    }

    private func failed(_ new: [ForeignKeyViolation]) -> ActionEnd {
        let list = new.prefix(3).map(\.description).joined(separator: "; ")
        var failure = runbook.failure(
            tenant: ticket.tenant, "foreign keys are violated after the script: \(list)", clean: true,
            hint: "Keep the referenced rows, or correct the order of the rebuild.")
        failure.file = script.path
        return .failed(failure, isTransient: false, output: nil, counted: false)
    }

    private func failed(_ error: DatabaseError, offset: Int?, statement: Int?) -> ActionEnd {
        if error.code == .interrupted { return .interrupted }
        let place = ScriptPlace(script: script, tenant: ticket.tenant, runbook: runbook)
        return .failed(
            place.failure(error, offset: offset, statement: statement, clean: true), isTransient: error.isTransient,
            output: nil, counted: false)
    }
}

extension SQLScript {
    /// Whether it may make, drop or alter tables: then foreign keys are looked at before and after.
    fileprivate var changesTables: Bool {
        statements.contains { statement in
            let words = statement.text.split(maxSplits: 3, whereSeparator: \.isWhitespace).prefix(3)
            let head = words.map { $0.uppercased() }
            guard let first = head.first else { return false }
            return ["CREATE", "DROP", "ALTER"].contains(first) && head.dropFirst().contains { $0.hasPrefix("TABLE") }
        }
    }
}
