/// What there is to know when no job of a wave is open any more.
package struct WaveEnd: Sendable {
    /// Tenants of the wave that are in scope.
    package var tenants: Int
    /// Those of them that failed, were blocked or cancelled, or are unknown.
    package var undone: Int
    package var tally: FailureTally
    /// Jobs of later waves that wait for it, in the same stage.
    package var waiting: Int
    /// Since its last job ended; nil when it had none in this run.
    package var since: Duration?

    package init(tenants: Int, undone: Int, tally: FailureTally, waiting: Int, since: Duration?) {
        self.tenants = tenants
        self.undone = undone
        self.tally = tally
        self.waiting = waiting
        self.since = since
    }
}

/// What becomes of a run at the end of a wave.
package enum WaveStep: Sendable, Hashable {
    /// The next wave, or the next stage, may begin.
    case goOn
    /// Not before this time has passed.
    case wait(Duration)
    /// Not before its gate was asked.
    case ask
    case stop(reason: String)

    /// - Parameter wave: nil where the manifest declares none, and for the last: nothing waits for them.
    package static func of(_ end: WaveEnd, _ rule: StopRule, _ wave: Wave?) -> WaveStep {
        guard let wave, end.waiting > 0 else { return .goOn }
        // Failures that several runners wrote at once may be too many only together.
        if let reason = rule.stopReason(end.tally) { return .stop(reason: reason) }
        // A wave that proved nothing is no reason to go on, whatever kept it from it.
        if end.tenants > 0, end.undone >= end.tenants {
            return .stop(reason: "no tenant of wave \(wave.name) is done, so the next wave does not begin")
        }
        if let since = end.since, since < wave.pause { return .wait(wave.pause - since) }
        return wave.gate == nil ? .goOn : .ask
    }
}
