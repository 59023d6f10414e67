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
    ///   - isFused: whether transactional runbooks that follow each other are committed together.
    package mutating func add(
        _ course: RehearsalCourse, beside: Duration?, cost: ServerCost? = nil, isFused: Bool = false
    ) {
        var isInTransaction = false
        for work in course.took {
            var duration = (cost ?? .none).inApply(work)
            if isFused, isInTransaction, work.kind == .transaction { duration = work.duration }
            isInTransaction = work.kind == .transaction
            runbooks[work.runbook, default: Sum()].add(duration)
        }
        if let beside { tenants.add(beside) }
    }

    /// What a runbook would take apply in a tenant where it is pending; nil where it was never run.
    package func mean(of runbook: Identity) -> Duration? { runbooks[runbook]?.mean }

    /// What a tenant takes besides its runbooks.
    package var meanBeside: Duration { tenants.mean ?? .zero }
}
