import DatabaseAccess
import Groundwork
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Asks the ledger, and asks again on a new connection when the server went away meanwhile.
    ///
    /// Once a run is under way every question may be asked twice: answers change nothing, claims and results are
    /// conditional on (runner, attempt), the rest on the state it leads out of. A claim whose answer was lost is found
    /// again by `reclaim`. Before that nothing is repeated: the next start joins what there is.
    func insisting<Answer>(
        _ question: (Ledger) throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        var deadline: ContinuousClock.Instant?
        while true {
            guard let ledger else { throw DatabaseError(.misuse, "the ledger is not open") }
            do throws(DatabaseError) {
                guard run == nil else { return try question(ledger) }
                return try stop.interrupting(ledger.session.interrupter) { () throws(DatabaseError) in
                    try question(ledger)
                }
            } catch {
                guard run != nil, problem == nil, ledger.dialect == .postgresql, !ledger.session.isUsable else {
                    throw error
                }
                let end = deadline ?? ContinuousClock.now + patience
                deadline = end
                guard reconnect(until: end) else { throw error }
            }
        }
    }

    /// How long a server that went away is waited for: as long as for a lock, at most a minute.
    var patience: Duration {
        let longest = fleet?.plan.runbooks.map { $0.limits.lockWait }.max()
        return min(lockWait ?? longest ?? .seconds(60), .seconds(60))
    }

    /// Tries until the ledger's server is back; false when the time has passed, or when running work is being cancelled.
    private func reconnect(until deadline: ContinuousClock.Instant) -> Bool {
        events?.send(.message("The ledger's server is away; trying again for \(DurationText.text(patience))."))
        for tries in 1... {
            guard ContinuousClock.now < deadline, !stop.isCancelling else { return false }
            let pause = min(
                RetryDecision.delay(afterTry: min(tries, 5), random: .random(in: 0...1)), deadline - ContinuousClock.now
            )
            blockThread(for: pause)
            do {
                let session = try connect(isReadOnly: false)
                do {
                    // Read, not opened: an empty database that answers in its place is not made a ledger.
                    ledger = try Ledger.read(
                        session, schema: manifestLedger.schema, workspace: workspace, upgrades: upgrades)
                    keys = nil
                    holdsKey = false
                    holdsWorkspace = false
                    events?.send(.message("The ledger's server is back."))
                    return true
                } catch {
                    session.close()
                    if error.code != .unreachable { return false }
                }
            } catch  where error.code == .unreachable {
                continue
            } catch {
                return false
            }
        }
        return false
    }
}
