/// How long a deploy would take, by how long its runbooks took before.
package struct DeployEstimate: Sendable, Codable, Hashable {
    /// null while none of its runbooks ever ran.
    package var durationMS: Int?
    /// Tenants worked on at once, in the last wave.
    package var workers: Int
    /// Pending runbooks of which there is no figure yet: the estimate is without them.
    package var withoutFigure: [String]

    private enum CodingKeys: String, CodingKey {
        // As what reads `duration_ms` spells it.
        case durationMS = "durationMs"
        case workers, withoutFigure
    }

    /// A pending runbook.
    package struct Work: Sendable {
        package var runbook: String
        package var scope: RunbookScope
        /// Tenants in which it would run; 1 for the workspace's own.
        package var count: Int
        /// What it takes in a tenant; nil while nobody knows.
        package var mean: Duration?

        package init(runbook: String, scope: RunbookScope, count: Int, mean: Duration?) {
            self.runbook = runbook
            self.scope = scope
            self.count = count
            self.mean = mean
        }
    }

    /// A wave, or the whole fleet where there is none.
    package struct Slice: Sendable {
        package var tenants: Int
        package var workers: Int
        /// Before the next one begins.
        package var pause: Duration

        package init(tenants: Int, workers: Int, pause: Duration = .zero) {
            self.tenants = tenants
            self.workers = workers
            self.pause = pause
        }
    }

    /// - Parameters:
    ///   - work: what is pending.
    ///   - slices: the waves, in order; each has its share of the work.
    ///   - beside: what a tenant takes besides its runbooks.
    package init(_ work: [Work], slices: [Slice], beside: Duration = .zero) {
        withoutFigure = work.filter { $0.mean == nil }.map(\.runbook)
        workers = slices.last.map { max(1, min($0.workers, $0.tenants)) } ?? 1
        guard work.contains(where: { $0.mean != nil }) else { return }
        func total(_ scope: RunbookScope) -> Double {
            work.filter { $0.scope == scope }.reduce(0) {
                $0 + Double($1.count) * (($1.mean ?? .zero) / .milliseconds(1))
            }
        }
        let tenants = slices.reduce(0) { $0 + $1.tenants }
        var milliseconds = total(.workspace)
        for (number, slice) in slices.enumerated() where slice.tenants > 0 {
            let share = (total(.tenant) / Double(tenants) + beside / .milliseconds(1)) * Double(slice.tenants)
            milliseconds += share / Double(max(1, min(slice.workers, slice.tenants)))
            if number < slices.count - 1 { milliseconds += slice.pause / .milliseconds(1) }
        }
        durationMS = Int(milliseconds.rounded())
    }
}
