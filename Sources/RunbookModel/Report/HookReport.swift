/// How a hook around a run or a tenant ended.
package struct HookReport: Sendable, Codable, Hashable {
    package var hook: RunHook
    /// null for a hook around the run.
    package var tenant: String?
    package var state: HookState
    /// null when it did not end by itself.
    package var exitCode: Int?
    package var message: String?
    /// The last lines that it printed.
    package var output: String?
    /// How often it was started.
    package var attempts: Int
    package var durationMS: Int
    /// The run that it is of.
    package var runID: String

    package init(
        hook: RunHook, tenant: String? = nil, state: HookState, exitCode: Int? = nil, message: String? = nil,
        output: String? = nil, attempts: Int = 1, durationMS: Int = 0, runID: String
    ) {
        self.hook = hook
        self.tenant = tenant
        self.state = state
        self.exitCode = exitCode
        self.message = message
        self.output = output
        self.attempts = attempts
        self.durationMS = durationMS
        self.runID = runID
    }
}

/// Where a hook around a run or a tenant stands.
package enum HookState: String, Sendable, Codable, Hashable, CaseIterable {
    /// Started; its end was not seen yet.
    case running
    case succeeded
    case failed
    /// Ended by who stopped the runner: it is started again.
    case interrupted

    /// Whether it is not started again.
    package var isFinal: Bool { self == .succeeded || self == .failed }
}
