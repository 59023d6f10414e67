/// How a run goes through its tenants, and what stops it.
package struct Rollout: Sendable, Hashable {
    /// Holds in every wave that does not say its own.
    package var limits: StopLimits

    package init(limits: StopLimits = StopLimits()) {
        self.limits = limits
    }
}

/// How many tenants may fail before a run is stopped.
package struct StopLimits: Sendable, Hashable {
    /// The run stops when failures exceed it; nil: never for their number.
    package var maxFailures: Allowance?
    /// The run stops when so many tenants have failed alike; nil: never for that.
    package var sameError: Int?

    package init(maxFailures: Allowance? = nil, sameError: Int? = nil) {
        self.maxFailures = maxFailures
        self.sameError = sameError
    }
}
