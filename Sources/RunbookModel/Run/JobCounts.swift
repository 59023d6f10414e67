/// How many jobs (or executions) are in which state. `total` counts them all, `processed` those that ended.
package struct JobCounts: Sendable, Hashable, Codable {
    package var total = 0
    package var processed = 0
    package var succeeded = 0
    package var skipped = 0
    package var failed = 0
    package var blocked = 0
    package var unknown = 0
    package var cancelled = 0

    package init() {}

    package mutating func add(_ state: JobState, _ count: Int = 1) {
        total += count
        guard !state.isOpen else { return }
        processed += count
        switch state {
        case .succeeded: succeeded += count
        case .skipped: skipped += count
        case .failed: failed += count
        case .blocked: blocked += count
        case .unknown: unknown += count
        case .cancelled: cancelled += count
        case .queued, .running: break
        }
    }
}
