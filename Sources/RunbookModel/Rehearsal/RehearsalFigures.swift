/// How long work took in the tenants of a rehearsal, to the digit: most tenants take less than the report's milliseconds.
package struct RehearsalFigures: Sendable {
    private struct Sum {
        var count = 0
        var total: Duration = .zero

        mutating func add(_ duration: Duration) {
            count += 1
            total += duration
        }

        var mean: Duration? { count > 0 ? total / count : nil }
    }

    private var runbooks: [Identity: Sum] = [:]
    private var tenants = Sum()

    package init() {}

    package var isEmpty: Bool { runbooks.isEmpty }

    /// - Parameters:
    ///   - course: what was run, and how long each took.
    ///   - beside: what the tenant took besides, without what only a rehearsal does; nil where that is not known.
    ///   - cost: of its server; nil where that is not known.
    ///   - waitsAtEnd: whether the tenant's last commit waits for the disk, too. Of transactional runbooks that follow each
    ///     other the last one's does so for all of them.
    package mutating func add(
        _ course: RehearsalCourse, beside: Duration?, cost: ServerCost? = nil, waitsAtEnd: Bool = true
    ) {
        for (index, work) in course.took.enumerated() {
            let next = course.took.dropFirst(index + 1).first
            let waits = next.map { $0.kind != .transaction } ?? waitsAtEnd
            let isFree = work.kind == .transaction && !waits
            runbooks[work.runbook, default: Sum()].add(isFree ? work.duration : (cost ?? .none).inApply(work))
        }
        if let beside { tenants.add(beside) }
    }

    /// What a runbook would take apply in a tenant where it is pending; nil where it was never run.
    package func mean(of runbook: Identity) -> Duration? { runbooks[runbook]?.mean }

    /// What a tenant takes besides its runbooks.
    package var meanBeside: Duration { tenants.mean ?? .zero }
}
