import DatabaseAccess
import Groundwork

/// How long another program's lock on a tenant's SQLite file is waited for, beyond what the session itself waits.
struct FileWait {
    let limit: Duration

    /// Repeats what a busy file refused: neither a BEGIN IMMEDIATE nor a COMMIT that was refused has changed anything
    /// (sqlite.org/lang_transaction.html).
    func insisting<Answer>(_ body: () throws(DatabaseError) -> Answer) throws(DatabaseError) -> Answer {
        let deadline = ContinuousClock.now + limit
        while true {
            do throws(DatabaseError) { return try body() } catch {
                guard error.code == .busy, ContinuousClock.now < deadline else { throw error }
                blockThread(for: .milliseconds(10))
            }
        }
    }
}
