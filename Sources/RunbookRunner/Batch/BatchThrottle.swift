import LedgerStore
import RunbookModel

/// Lets the next batch wait while replicas are behind, or a query says so. Each is asked at most once a second.
struct BatchThrottle {
    let course: BatchCourse
    private var lastLook: ContinuousClock.Instant?

    init(course: BatchCourse) { self.course = course }

    /// Waits until nothing speaks against the next batch, or the run is to stop.
    ///
    /// - Parameter report: is told why it waits; nil when the wait is over.
    mutating func wait(
        _ engine: some BatchEngine, report: (String?) -> Void
    ) throws(BatchProblem) {
        guard course.work.maxLag != nil || course.work.throttle != nil else { return }
        var hasWaited = false
        while !course.mustStop {
            if let lastLook, ContinuousClock.now - lastLook < .seconds(1) { break }
            guard let (reason, delay) = try obstacle(engine) else {
                lastLook = .now
                break
            }
            hasWaited = true
            report(reason)
            course.context.stop.pause(delay)
        }
        if hasWaited { report(nil) }
    }

    private func obstacle(_ engine: some BatchEngine) throws(BatchProblem) -> (reason: String, delay: Duration)? {
        if let limit = course.work.maxLag, let lag = try engine.replicationLag(), lag > limit {
            return ("a replica that is \(DurationText.text(lag.rounded)) behind", .milliseconds(500))
        }
        guard let query = course.work.throttle else { return nil }
        let answer = try engine.ask(query)
        // A number first: SQLite has no other truth than 0 and 1.
        if let number = answer.number, answer.boolean == nil || number != 1 {
            guard number > 0 else { return nil }
            return ("throttle, which says \(Int(number)) ms", .milliseconds(min(max(Int(number), 100), 60_000)))
        }
        guard let boolean = answer.boolean else {
            var failure = course.runbook.failure(
                tenant: course.ticket.tenant, "throttle answered neither a truth value nor a number", clean: true)
            failure.file = query.path
            throw BatchProblem(failure: failure)
        }
        return boolean ? ("throttle, which says true", .seconds(1)) : nil
    }
}

extension Duration {
    /// In whole milliseconds.
    fileprivate var rounded: Duration { .milliseconds(milliseconds) }
}
