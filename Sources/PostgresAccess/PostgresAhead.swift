package import DatabaseAccess
private import Synchronization

/// Connections that were begun before those who need them are there: the server does its part meanwhile.
package final class PostgresAhead: Sendable {
    private let begun = Mutex<[String: [UInt]]>([:])

    package init() {}

    /// Begins connections. Whether they come to stand is seen by who opens a session with them.
    package func begin(_ count: Int, to url: ConnectionURL, _ options: SessionOptions) {
        for _ in 0..<count {
            guard let address = PostgresSession.begin(url, options) else { return }
            begun.withLock { $0[Self.key(url, options), default: []].append(address) }
        }
    }

    /// One that was begun with these words, and is the caller's then.
    func take(_ url: ConnectionURL, _ options: SessionOptions) -> UInt? {
        begun.withLock { $0[Self.key(url, options)]?.popLast() }
    }

    /// Ends those that nobody has taken.
    package func end() {
        let left = begun.withLock { begun in
            defer { begun = [:] }
            return begun.values.joined()
        }
        for address in left { PostgresConnection.finish(begunAt: address) }
    }

    private static func key(_ url: ConnectionURL, _ options: SessionOptions) -> String {
        options.applicationName + " " + url.revealed
    }
}
