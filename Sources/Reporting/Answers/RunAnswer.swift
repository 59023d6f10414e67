package import RunbookModel

/// A run's report as a command answers it: in JSON the report and nothing else, in text with tenants told apart from
/// the workspace's own job.
package struct RunAnswer: Sendable {
    package var report: Report
    /// Ids of the runbooks that run once per workspace.
    package var workspaceRunbooks: Set<String>

    package init(_ report: Report, workspaceRunbooks: Set<String> = []) {
        self.report = report
        self.workspaceRunbooks = workspaceRunbooks
    }

    /// How the workspace's own job ended; nil when there is none. Its runbooks have one execution each.
    var workspaceJob: JobState? {
        let counts = report.runbooks.filter { workspaceRunbooks.contains($0.id) && $0.counts.total > 0 }.map(\.counts)
        guard !counts.isEmpty else { return nil }
        let states: [(KeyPath<JobCounts, Int>, JobState)] = [
            (\.failed, .failed), (\.unknown, .unknown), (\.blocked, .blocked), (\.cancelled, .cancelled),
        ]
        for (path, state) in states where counts.contains(where: { $0[keyPath: path] > 0 }) { return state }
        if counts.contains(where: { $0.processed < $0.total }) { return .queued }
        return counts.contains { $0.succeeded > 0 } ? .succeeded : .skipped
    }

    var tenants: JobCounts { report.counts }
}

extension RunAnswer: Encodable {
    package func encode(to encoder: any Encoder) throws { try report.encode(to: encoder) }
}
