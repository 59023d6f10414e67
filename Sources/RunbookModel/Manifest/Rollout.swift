/// How a run goes through its tenants, and what stops it.
package struct Rollout: Sendable {
    /// Holds in every wave that does not say its own.
    package var limits: StopLimits
    /// In their order; empty: all tenants at once.
    package var waves: [Wave]

    package init(limits: StopLimits = StopLimits(), waves: [Wave] = []) {
        self.limits = limits
        self.waves = waves
    }

    /// What takes the tenants that no declared wave takes.
    package static let rest = "rest"

    /// The waves of a run: those declared, and one for the rest where none of them takes it.
    package var course: [Wave] {
        guard let last = waves.last else { return [] }
        return last.takesAll ? waves : waves + [Wave(name: Self.rest)]
    }
}

/// A slice of the tenants, which is done before the next one begins.
package struct Wave: Sendable {
    package var name: String
    /// Labels that a tenant must have.
    package var match: [String: [String]]
    /// It takes at most so many tenants.
    package var limit: Int?
    /// It takes this share of the tenants that match, rounded up.
    package var share: Allowance?
    /// Tenants worked on at once by one runner; nil: as everywhere.
    package var concurrency: Int?
    package var limits: StopLimits
    /// How long nothing begins between its end and the next wave.
    package var pause: Duration
    /// What must be well before the next wave begins.
    package var gate: WaveGate?

    package init(
        name: String, match: [String: [String]] = [:], limit: Int? = nil, share: Allowance? = nil,
        concurrency: Int? = nil, limits: StopLimits = StopLimits(), pause: Duration = .zero, gate: WaveGate? = nil
    ) {
        self.name = name
        self.match = match
        self.limit = limit
        self.share = share
        self.concurrency = concurrency
        self.limits = limits
        self.pause = pause
        self.gate = gate
    }

    /// Whether no tenant is left behind it.
    package var takesAll: Bool { match.isEmpty && limit == nil && share == nil }
}

/// What decides whether the next wave begins.
package enum WaveGate: Sendable {
    /// One query with one boolean, asked in the ledger's database.
    case sql(SQLScript)
    /// A program: exit 0 lets the next wave begin.
    case exec(HookCommand)
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

    /// What is said here, and what is not said here as others have it.
    package func over(_ inherited: StopLimits) -> StopLimits {
        StopLimits(maxFailures: maxFailures ?? inherited.maxFailures, sameError: sameError ?? inherited.sameError)
    }
}
