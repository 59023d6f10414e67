/// `muster cancel RUN`: encodes as `muster.cancel/1`.
package struct CancelReport: Sendable, Codable {
    package var schema = "muster.cancel/1"
    package var command = "cancel"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    /// false when the run had ended before.
    package var cancelled: Bool
    /// How many of its jobs were open.
    package var jobs: Int
    /// How many of its runners are under way: each stops when it looks next.
    package var runners: Int
    /// The run as it is now.
    package var run: RunRecord?
    /// What went wrong; null when the question was answered.
    package var error: ReportError?

    package init(
        ok: Bool, exitCode: Int, workspace: String? = nil, cancelled: Bool = false, jobs: Int = 0, runners: Int = 0,
        run: RunRecord? = nil, error: ReportError? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        self.cancelled = cancelled
        self.jobs = jobs
        self.runners = runners
        self.run = run
        self.error = error
    }
}
