import Synchronization

/// Tenants that somebody has cancelled while this runner was at them, from the desk that notices it to the workers: what
/// is under way there may end, nothing more of it begins.
final class CancelledTenants: Sendable {
    /// By whom and why, by tenant.
    private let notes = Mutex<[String: String]>([:])

    /// - Returns: those that were not known yet.
    func add(_ tenants: [String: String]) -> [String: String] {
        notes.withLock { notes in
            let news = tenants.filter { notes[$0.key] == nil }
            notes.merge(news) { $1 }
            return news
        }
    }

    /// By whom and why; nil when nobody has.
    func note(_ tenant: String) -> String? { notes.withLock { $0[tenant] } }

    func contains(_ tenant: String) -> Bool { note(tenant) != nil }
}
