/// When the failures of one wave stop the run; a run without waves is one wave.
package struct StopRule: Sendable, Hashable {
    /// nil where the manifest declares none.
    package var wave: String?
    /// How many tenants in scope the wave has: what a share is of.
    package var tenants: Int
    package var limits: StopLimits

    package init(wave: String? = nil, tenants: Int, limits: StopLimits) {
        self.wave = wave
        self.tenants = tenants
        self.limits = limits
    }

    /// Whether it can ever stop anything.
    package var isInForce: Bool { limits.maxFailures != nil || limits.sameError != nil }

    /// Why the run is to be stopped, in words for people; nil when it goes on.
    ///
    /// - Parameter message: what the failures of a cause say, if that is known.
    package func stopReason(_ tally: FailureTally, message: (String) -> String? = { _ in nil }) -> String? {
        // What says more goes first: the same failure everywhere is one repair.
        if let limit = limits.sameError, let commonest = tally.commonest, commonest.count >= limit {
            let text = message(commonest.cause).map { ": \(Self.shortened($0))" } ?? ""
            return "same_error \(limit): \(Self.tenants(commonest.count))\(place) failed alike\(text)"
        }
        if let allowance = limits.maxFailures, tally.failed > allowance.limit(of: tenants) {
            let limit = allowance.limit(of: tenants)
            let allowed = limit == 0 ? "none may" : limit == 1 ? "1 may" : "\(limit) may"
            return "max_failures \(allowance): \(Self.tenants(tally.failed))\(place) failed, and \(allowed)"
        }
        return nil
    }

    /// How many failures more may stop the run: at least 1; nil when no number does.
    package func headroom(_ tally: FailureTally) -> Int? {
        let left = [
            limits.maxFailures.map { $0.limit(of: tenants) + 1 - tally.failed },
            limits.sameError.map { $0 - (tally.commonest?.count ?? 0) },
        ].compactMap(\.self).min()
        return left.map { max(1, $0) }
    }

    /// Whether failures that others do not know of yet are to be told at once: before all runners together, each with as
    /// many, could have passed the limit unseen.
    package func isUrgent(untold: Int, since tally: FailureTally, runners: Int) -> Bool {
        guard untold > 0, let headroom = headroom(tally) else { return false }
        return untold * max(1, runners) >= headroom
    }

    private var place: String { wave.map { " of wave \($0)" } ?? "" }

    private static func tenants(_ count: Int) -> String { count == 1 ? "1 tenant" : "\(count) tenants" }

    private static func shortened(_ message: String) -> String {
        message.count > 200 ? "\(message.prefix(199))…" : message
    }
}
