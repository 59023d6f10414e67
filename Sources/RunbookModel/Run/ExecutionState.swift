/// What the ledger knows of one identity in one tenant. No row means pending.
package enum ExecutionState: String, Sendable, Codable, CaseIterable {
    case running
    case succeeded
    case failed
    case unknown
    case baselined
    case rolledBack = "rolled_back"

    /// Whether it never runs again under the same key.
    package var isDone: Bool { self == .succeeded || self == .baselined }

    /// Whether an execution that ended so did what it was meant to.
    package var isGood: Bool { isDone || self == .rolledBack }
}
