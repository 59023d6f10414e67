/// One tenant's share of a run.
package enum JobState: String, Sendable, Codable, CaseIterable {
    case queued
    case running
    case succeeded
    case skipped
    case failed
    case blocked
    case unknown
    case cancelled

    package var isOpen: Bool { self == .queued || self == .running }
}

/// Why a job or an execution could not start.
package enum BlockReason: String, Sendable, Codable, CaseIterable {
    /// Something it comes after is not done.
    case after
    /// The tenant's lock, or its database, was not to be had in time: try again later.
    case lock
    /// The run was stopped first.
    case stopped
}
