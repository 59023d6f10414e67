import DatabaseAccess
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Seals what is finished, after a run that this runner has completed: then the ledger is small, and what it holds is
    /// asked quickly. What a signal or a failure leaves is taken up after the next run.
    ///
    /// - Returns: what people should know if it failed; the run itself is over, and nothing of it depends on this.
    func seal() -> String? {
        tidying { ledger throws(DatabaseError) in
            var last: String?
            repeat { last = try ledger.seal(after: last, behind: run?.id) } while last != nil && !stop.isStopping
        }
    }

    /// The same of what is older than the retention.
    func fold() -> String? {
        guard mayFold else { return nil }
        return tidying { ledger throws(DatabaseError) in
            while !stop.isStopping, try ledger.fold(olderThan: retention) {}
        }
    }

    /// In seconds.
    var retention: Int { Int(manifestLedger.retention.components.seconds) }

    private func tidying(_ work: (Ledger) throws(DatabaseError) -> Void) -> String? {
        guard hasCompleted, let ledger else { return nil }
        do throws(DatabaseError) {
            try stop.interrupting(ledger.session.interrupter) { () throws(DatabaseError) in try work(ledger) }
            return nil
        } catch  where stop.isStopping {
            return nil
        } catch {
            return "The run is complete, but the ledger was not tidied up; the next run will. \(error.message)"
        }
    }
}
