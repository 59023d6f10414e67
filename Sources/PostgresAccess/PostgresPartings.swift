private import Synchronization

/// Connections whose owners are done with them, kept for who ends the process.
///
/// A server takes milliseconds of a processor to part with a session. Where the process is about to end, that is left to
/// the last moment: what it still has to say is said before.
package final class PostgresPartings: Sendable {
    private let addresses = Mutex<[UInt]>([])

    package init() {}

    /// Takes a session's connection; the session is closed.
    package func take(_ session: PostgresSession) {
        guard let address = session.releaseConnection() else { return }
        addresses.withLock { $0.append(address) }
    }

    /// Says goodbye to all their servers, without a wait for the answers.
    package func end() {
        let taken = addresses.withLock { addresses in
            defer { addresses = [] }
            return addresses
        }
        for address in taken { PostgresConnection.finish(releasedAt: address) }
    }
}
