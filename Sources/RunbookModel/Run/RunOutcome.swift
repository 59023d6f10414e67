package enum RunStatus: String, Sendable, Codable, CaseIterable {
    case queued
    case running
    case completed
}

package enum RunOutcome: String, Sendable, Codable, CaseIterable {
    case succeeded
    case partiallySucceeded = "partially_succeeded"
    case failed
    case blocked
    case cancelled
}
