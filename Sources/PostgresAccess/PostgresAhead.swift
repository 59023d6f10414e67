package import DatabaseAccess
private import Synchronization

/// Connections that were begun before those who need them are there: the server does its part meanwhile.
package final class PostgresAhead: Sendable {
    private struct State {
        var begun: [String: [UInt]] = [:]
        /// Addresses where a connection begins at once. A name that is slow to resolve holds up who begins it.
        var quick: Set<String> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Begins connections, where one that was opened before has begun at once. Whether they come to stand is seen by who
    /// opens a session with them.
    package func begin(_ count: Int, to url: ConnectionURL, _ options: SessionOptions) {
        guard state.withLock({ $0.quick.contains(url.revealed) }) else { return }
        for _ in 0..<count {
            guard let address = PostgresSession.begin(url, options) else { return }
            state.withLock { $0.begun[Self.key(url, options), default: []].append(address) }
        }
    }

    /// One that was begun with these words, and is the caller's then.
    func take(_ url: ConnectionURL, _ options: SessionOptions) -> UInt? {
        state.withLock { $0.begun[Self.key(url, options)]?.popLast() }
    }

    /// Notes how long it took to begin a connection.
    package func note(_ duration: Duration, of url: ConnectionURL) {
        if duration < .milliseconds(2) { state.withLock { _ = $0.quick.insert(url.revealed) } }
    }

    /// Ends those that nobody has taken.
    package func end() {
        let left = state.withLock { state in
            defer { state.begun = [:] }
            return state.begun.values.joined()
        }
        for address in left { PostgresConnection.finish(begunAt: address) }
    }

    private static func key(_ url: ConnectionURL, _ options: SessionOptions) -> String {
        options.applicationName + " " + url.revealed
    }
}
