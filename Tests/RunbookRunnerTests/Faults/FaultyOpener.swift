import DatabaseAccess
import RunbookRunner

/// Opens real engines whose n-th statement fails; opening counts as one.
struct FaultyOpener: SessionOpener {
    let fault: StatementFault

    func open(_ url: ConnectionURL, _ options: SessionOptions) throws(DatabaseError) -> any DatabaseSession {
        if fault.next() != nil { throw DatabaseError(.unreachable, "injected: it cannot be reached") }
        return FaultySession(try RealOpener().open(url, options), fault)
    }

    func openLockFile(beside ledger: ConnectionURL) throws(DatabaseError) -> any AdvisoryLocks {
        if fault.next() != nil { throw DatabaseError(.unreachable, "injected: it cannot be opened") }
        return try RealOpener().openLockFile(beside: ledger)
    }
}
