/// `muster cancel RUN`: encodes as `muster.cancel/1`.
package struct CancelReport: Sendable, Codable {
    package var schema = "muster.cancel/1"
    package var command = "cancel"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    /// Whether this call has cancelled anything; false when the run had ended before.
    package var cancelled: Bool
    /// How many open jobs it cancelled.
    package var jobs: Int
    /// How many of its runners are under way: each stops when it looks next.
    package var runners: Int
    /// null when the whole run was meant; else those named, and those meant that have a part in the run.
    package var tenants: [Answer]?
    /// The run as it is now.
    package var run: RunRecord?
    /// What went wrong; null when the question was answered.
    package var error: ReportError?

    package init(
        ok: Bool, exitCode: Int, workspace: String? = nil, cancelled: Bool = false, jobs: Int = 0, runners: Int = 0,
        tenants: [Answer]? = nil, run: RunRecord? = nil, error: ReportError? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        self.cancelled = cancelled
        self.jobs = jobs
        self.runners = runners
        self.tenants = tenants
        self.run = run
        self.error = error
    }

    package struct Answer: Sendable, Codable, Hashable {
        package var tenant: String
        package var result: Result
        /// Of its job, before; null when it has none in the run.
        package var before: JobState?

        package init(tenant: String, before: JobState?) {
            self.tenant = tenant
            self.before = before
            result =
                switch before {
                case .queued: .cancelled
                case .running: .underWay
                case nil: .absent
                default: .ended
                }
        }
    }

    package enum Result: String, Sendable, Codable, CaseIterable {
        /// It had not begun, and does not.
        case cancelled
        /// A runner has it: what goes on there may finish; nothing more of it begins.
        case underWay = "under_way"
        /// It had ended before.
        case ended
        /// It has no part in the run: everything was done there before, or the run is not about it.
        case absent
    }
}
