import DatabaseAccess
import LedgerStore
import RunbookModel
import Synchronization

/// Measures what a server takes for a commit, and for a round trip.
final class CommitMeter: Sendable {
    private static let question = "SELECT 1"
    private static let rounds = 5

    private let refused = Mutex<[String: String]>([:])

    /// What servers said that would not do it, by server.
    var refusals: [String: String] { refused.withLock { $0 } }

    /// - Parameter session: outside of a transaction.
    /// - Returns: nil where it cannot be measured; the estimate is without it then.
    func cost(of session: any DatabaseSession, server: String) -> ServerCost? {
        do throws(DatabaseError) {
            let roundTrip = try mean(of: Self.question, on: session)
            let commit = try mean(of: LedgerSQL.waitForDisk, on: session)
            return ServerCost(roundTrip: roundTrip, commit: max(.zero, commit - roundTrip))
        } catch {
            if error.code != .interrupted { refused.withLock { $0[server] = error.message } }
            return nil
        }
    }

    private func mean(of statement: String, on session: any DatabaseSession) throws(DatabaseError) -> Duration {
        // The first one fills the server's caches.
        try session.run(statement)
        let began = ContinuousClock.now
        for _ in 0..<Self.rounds { try session.run(statement) }
        return (ContinuousClock.now - began) / Self.rounds
    }
}
