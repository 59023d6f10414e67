import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// Work that cannot be transactional, around a PostgreSQL tenant: `transaction: false` scripts and hooks.
///
/// Session lock, then a committed `running` receipt, then the work, then its end. A crash after the receipt leaves
/// `running`, which nobody takes for done nor for failed.
struct PostgresAttempt {
    let runbook: Runbook
    let target: TenantTarget
    let ticket: ClaimTicket
    let connection: TenantConnection
    /// Ask `verify` before anything is run: its last end was not seen.
    let asksFirst: Bool

    /// - Parameter work: is given the attempt, and what asks whether the lock is still held.
    func run(_ work: (_ attempt: Int, _ lockIsHeld: @escaping () -> Bool) -> WorkEnd) -> ActionEnd {
        guard let receipts = connection.receipts else {
            return failed(DatabaseError(.misuse, "no PostgreSQL connection"))
        }
        let locks = SessionAdvisoryLocks(on: connection.session)
        let guardian = TenantLock(locks: locks, ticket: ticket)
        do throws(DatabaseError) {
            guard try guardian.take() else { return .busy }
        } catch {
            return broken(error)
        }
        let end = attempt(receipts) { attempt in
            work(attempt) {
                do throws(DatabaseError) { return try locks.holds(ticket.tenantKey, .exclusive) } catch { return false }
            }
        }
        // An error here does not change the truth: the end was recorded while the lock was seen to be held.
        guardian.giveBack()
        if connection.session.isUsable { _ = connection.recover() }
        return end
    }

    private func attempt(_ receipts: PostgresReceipts, _ work: (Int) -> WorkEnd) -> ActionEnd {
        let session = connection.session
        var isDoneAlready = false
        var asksFirst = asksFirst
        if ticket.mayRepeat {
            do throws(DatabaseError) {
                let place = receipts.place(of: ticket)
                let previous = try session.withTransaction(ReceiptBook.begin(.postgresql, isReadOnly: true)) {
                    () throws(DatabaseError) in try place.previousAttempt(in: session)
                }
                if let previous, previous.isUnseen || (previous.hasRemains && ticket.isScript) {
                    guard try receipts.obstacle(to: ticket, in: session) == nil else { return .busy }
                    guard Leftover(previous, before: ticket).clear() else { return .busy }
                    // The plan may not have known.
                    asksFirst = asksFirst || !runbook.repeatable
                }
            } catch {
                return broken(error)
            }
        }
        if asksFirst, let verify = runbook.verify {
            do throws(DatabaseError) { isDoneAlready = try verified(verify) == true } catch { return broken(error) }
        }
        var number = 1
        do throws(DatabaseError) {
            try Failpoint.reach(.beginAttempt, .before)
            try session.run(try receipts.begin(ticket), as: nil) { index, result in
                if index == 2 { number = result.firstRow?[0].integer ?? 1 }
            }
            try Failpoint.reach(.beginAttempt, .after)
        } catch {
            _ = connection.recoverKeepingLocks()
            // Whether the receipt stands is not known, but nothing of the work has begun.
            if error.code == .connectionLost {
                return .lost(runbook.failure(tenant: ticket.tenant, error.message, clean: true))
            }
            guard let state = error.claimState else { return broken(error) }
            return ClaimRefusal(runbook: runbook, tenant: ticket.tenant).end(for: state, message: error.message)
        }
        var result = isDoneAlready ? WorkEnd.succeeded(rows: nil, output: "verify answered true") : work(number)
        if case .succeeded(let rows, let output) = result, !isDoneAlready, let verify = runbook.verify {
            result = judged(verify, rows: rows, output: output)
        }
        return close(receipts, number, result)
    }

    /// Records the end; where that cannot be done, or the lock was lost, the state is `unknown`.
    private func close(_ receipts: PostgresReceipts, _ number: Int, _ result: WorkEnd) -> ActionEnd {
        let (state, clean) = result.recorded(ticket.aim)
        var held: Bool?
        do throws(DatabaseError) {
            guard connection.recoverKeepingLocks() else {
                throw DatabaseError(.connectionLost, "the connection that held the lock is gone")
            }
            let text = try receipts.end(ticket, attempt: number, state: state, clean: clean)
            try Failpoint.reach(.endAttempt, .before)
            try connection.session.run(text, as: nil) { index, result in
                if index == 2 { held = result.firstRow?[0].boolean }
            }
            try Failpoint.reach(.endAttempt, .after)
        } catch {
            if error.claimState == .superseded { return .superseded }
            if case .unknown(let failure, let output) = result {
                return .unknown(failure, output: output, counted: receipts.isLocal)
            }
            let failure = runbook.failure(
                tenant: ticket.tenant, "the work ended, but its end could not be recorded: \(error.message)",
                clean: false)
            // The end may stand although nobody was told: the next claim reads it, once it has the lock.
            if error.code == .connectionLost, case .succeeded = result { return .lost(failure) }
            return .unknown(failure, output: nil, counted: receipts.isLocal)
        }
        guard let held else { return .superseded }
        guard held else {
            return .unknown(
                runbook.failure(
                    tenant: ticket.tenant, "the tenant's lock was lost while the work went on", clean: false,
                    hint: "Look for pg_advisory_unlock_all or DISCARD ALL in the script."),
                output: nil, counted: receipts.isLocal)
        }
        return switch result {
        case .succeeded(let rows, let output): .succeeded(rows: rows, output: output, counted: receipts.isLocal)
        case .failed(let failure, let output):
            .failed(failure, isTransient: false, output: output, counted: receipts.isLocal)
        case .tryAgain(let failure, _): .tryAgain(failure)
        case .unknown(let failure, let output): .unknown(failure, output: output, counted: receipts.isLocal)
        }
    }

    private func judged(_ verify: SQLScript, rows: Int?, output: String?) -> WorkEnd {
        do throws(DatabaseError) {
            let answer = try verified(verify)
            if answer == true { return .succeeded(rows: rows, output: output) }
            var failure = runbook.failure(
                tenant: ticket.tenant, "verify answered \(answer.map(String.init) ?? "null"), not true", clean: false)
            failure.file = verify.path
            return .failed(failure, output: output)
        } catch {
            return .failed(
                PostgresVerify.failure(error, runbook: runbook, tenant: ticket.tenant, clean: false), output: output)
        }
    }

    /// Asks `verify` as the tenant, then takes the settings back.
    private func verified(_ verify: SQLScript) throws(DatabaseError) -> Bool? {
        let settings = PostgresSettings(
            target: target, limits: runbook.limits, serverVersion: connection.place?.version ?? 0)
        try connection.session.run(try settings.text(isLocal: false).text)
        defer { _ = connection.recoverKeepingLocks() }
        return try PostgresVerify.ask(verify, on: connection.session)
    }

    private func broken(_ error: DatabaseError) -> ActionEnd {
        switch error.code {
        case .interrupted: .interrupted
        case .connectionLost, .unreachable:
            .unreachable(runbook.failure(tenant: ticket.tenant, error.message, clean: true))
        default: failed(error)
        }
    }

    private func failed(_ error: DatabaseError) -> ActionEnd {
        var failure = runbook.failure(tenant: ticket.tenant, error.message, clean: true, hint: error.hint)
        failure.sqlstate = error.sqlState
        failure.detail = error.detail
        return .failed(failure, isTransient: error.isTransient, output: nil, counted: false)
    }
}

extension TenantConnection {
    /// Cleans the connection but keeps the session locks that Muster holds on it.
    func recoverKeepingLocks() -> Bool {
        guard session.isUsable else { return false }
        do throws(DatabaseError) {
            if session.isInTransaction { try session.run("ROLLBACK") }
            try session.run(SessionReset.keepingLocks)
            return session.isUsable
        } catch {
            session.close()
            return false
        }
    }
}
