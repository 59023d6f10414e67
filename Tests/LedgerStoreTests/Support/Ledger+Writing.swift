import DatabaseAccess
import LedgerStore
import RunbookModel

extension Ledger {
    /// Writes results of a run that nothing stops.
    func write(_ results: [JobResult], run: String, runner: String) throws(DatabaseError) -> Int {
        try write(results, run: run, runner: runner, under: []).count
    }
}
