import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// Work that cannot be transactional, around a SQLite tenant: a committed `running` receipt, the work, its end. The
/// tenant's lock is held by the worker already, which looks whether it still is before the end is recorded.
struct SQLiteAttempt {
    let runbook: Runbook
    let ticket: ClaimTicket
    let session: any DatabaseSession
    let asksFirst: Bool
    let wait: FileWait
    let lockIsHeld: () -> Bool

    func run(_ work: (_ attempt: Int) -> WorkEnd) -> ActionEnd {
        let receipts = SQLiteReceipts(session: session)
        var isDoneAlready = false
        var number = 1
        do throws(DatabaseError) {
            var asksFirst = asksFirst
            if ticket.mayRepeat, let previous = try previousAttempt(receipts),
                previous.isUnseen || (previous.hasRemains && ticket.isScript)
            {
                guard Leftover(previous, before: ticket).clear() else { return .busy }
                // The plan may not have known.
                asksFirst = asksFirst || !runbook.repeatable
            }
            if asksFirst, let verify { isDoneAlready = try verify.ask(on: session) == true }
            let refusal = try session.withTransaction(["BEGIN IMMEDIATE"]) { () throws(DatabaseError) -> Refusal? in
                try receipts.ensureTable()
                if let (state, found) = try receipts.survey(ticket)?.disagreement {
                    return Refusal(state: state, message: found)
                }
                if let (state, found) = try receipts.examine(ticket) { return Refusal(state: state, message: found) }
                number = try receipts.record(ticket, state: .running, rowsAffected: nil)
                try Failpoint.reach(.beginAttempt, .before)
                return nil
            }
            try Failpoint.reach(.beginAttempt, .after)
            if let refusal {
                return ClaimRefusal(runbook: runbook, tenant: ticket.tenant).end(
                    for: refusal.state, message: refusal.message)
            }
        } catch {
            if error.code == .interrupted { return .interrupted }
            if error.code == .busy { return .fileBusy }
            return .failed(
                runbook.failure(tenant: ticket.tenant, error.message, clean: true), isTransient: error.isTransient,
                output: nil, counted: false)
        }
        var result: WorkEnd =
            isDoneAlready ? .succeeded(rows: nil, output: "verify answered true") : work(number)
        if case .succeeded(_, let output) = result, !isDoneAlready, let verify {
            do throws(DatabaseError) {
                if let failure = try verify.failure(on: session) { result = .failed(failure, output: output) }
            } catch {
                result = .unknown(runbook.failure(tenant: ticket.tenant, error.message, clean: false), output: output)
            }
        }
        return close(receipts, result)
    }

    private struct Refusal {
        var state: ClaimState
        var message: String
    }

    private func previousAttempt(_ receipts: SQLiteReceipts) throws(DatabaseError) -> PreviousAttempt? {
        try session.withTransaction(["BEGIN IMMEDIATE"]) { () throws(DatabaseError) in
            try receipts.ensureTable()
            return try SQLiteReceipts.place(of: ticket).previousAttempt(in: session)
        }
    }

    private func close(_ receipts: SQLiteReceipts, _ result: WorkEnd) -> ActionEnd {
        let isHeld = lockIsHeld()
        let (state, clean) = isHeld ? result.recorded(ticket.aim) : (.unknown, nil)
        var rows: Int?
        if case .succeeded(let count, _) = result { rows = count }
        do throws(DatabaseError) {
            if session.isInTransaction { try session.run("ROLLBACK") }
            try wait.insisting { () throws(DatabaseError) in
                try session.withTransaction(["BEGIN IMMEDIATE"]) { () throws(DatabaseError) in
                    _ = try receipts.record(ticket, state: state, clean: clean, rowsAffected: rows)
                    try Failpoint.reach(.endAttempt, .before)
                }
            }
            try Failpoint.reach(.endAttempt, .after)
        } catch {
            if error.claimState == .superseded { return .superseded }
            let failure = runbook.failure(
                tenant: ticket.tenant, "the work ended, but its end could not be recorded: \(error.message)",
                clean: false)
            // The next claim, once it has the lock, reads what stands.
            if error.code == .connectionLost, case .succeeded = result { return .lost(failure) }
            return .unknown(failure, output: nil, counted: false)
        }
        guard isHeld else {
            return .unknown(
                runbook.failure(
                    tenant: ticket.tenant, "the tenant's lock was lost while the work went on", clean: false),
                output: nil, counted: false)
        }
        return switch result {
        case .succeeded(let rows, let output): .succeeded(rows: rows, output: output, counted: false)
        case .failed(let failure, let output): .failed(failure, isTransient: false, output: output, counted: false)
        case .tryAgain(let failure, _): .tryAgain(failure)
        case .unknown(let failure, let output): .unknown(failure, output: output, counted: false)
        }
    }

    private var verify: SQLiteVerify? {
        runbook.verify.map { SQLiteVerify(runbook: runbook, verify: $0, tenant: ticket.tenant, clean: false) }
    }
}
