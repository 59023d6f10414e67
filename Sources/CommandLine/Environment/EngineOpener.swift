package import DatabaseAccess
import PostgresAccess
import SQLiteAccess

/// Opens sessions with the driver that the URL asks for: the one place that names a driver.
package struct EngineOpener: SessionOpener {
    package init() {}

    package func open(
        _ url: ConnectionURL, _ options: SessionOptions
    ) throws(DatabaseError) -> any DatabaseSession {
        switch url.dialect {
        case .postgresql: try PostgresSession.open(url, options)
        case .sqlite: try SQLiteSession.open(url, options)
        }
    }

    package func openLockFile(beside ledger: ConnectionURL) throws(DatabaseError) -> any AdvisoryLocks {
        try LockFile(beside: ledger)
    }
}
