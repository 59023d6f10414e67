package import DatabaseAccess
import PostgresAccess
import SQLiteAccess

/// Opens sessions with the driver that the URL asks for: the one place that names a driver.
package struct EngineOpener: SessionOpener {
    private let partings: PostgresPartings?
    private let ahead: PostgresAhead?

    /// - Parameter isOfProcess: whether `end` is called in time; else sessions are closed when their owner is done.
    package init(isOfProcess: Bool = false) {
        partings = isOfProcess ? PostgresPartings() : nil
        ahead = isOfProcess ? PostgresAhead() : nil
    }

    package func open(
        _ url: ConnectionURL, _ options: SessionOptions
    ) throws(DatabaseError) -> any DatabaseSession {
        switch url.dialect {
        case .postgresql: try PostgresSession.open(url, options, from: ahead)
        case .sqlite: try SQLiteSession.open(url, options)
        }
    }

    package func expect(_ count: Int, at url: ConnectionURL, _ options: SessionOptions) {
        if url.dialect == .postgresql { ahead?.begin(count, to: url, options) }
    }

    package func part(with session: any DatabaseSession) {
        if let partings, let session = session as? PostgresSession { partings.take(session) } else { session.close() }
    }

    package func end() {
        ahead?.end()
        partings?.end()
    }

    package func openLockFile(beside ledger: ConnectionURL) throws(DatabaseError) -> any AdvisoryLocks {
        try LockFile(beside: ledger)
    }
}
