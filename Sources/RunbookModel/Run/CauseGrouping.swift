/// Groups failures that are the same failure, as they come in.
package struct CauseGrouping: Sendable {
    private static let samples = 3

    private var groups: [FailureSignature: Cause] = [:]
    /// In the order of their first failure.
    private var order: [FailureSignature] = []

    package init() {}

    package init(_ failures: some Sequence<Failure>) {
        for failure in failures { add(failure) }
    }

    /// - Returns: how often this failure has been seen, this time included.
    @discardableResult
    package mutating func add(_ failure: Failure) -> Int {
        let signature = FailureSignature(failure)
        guard var cause = groups[signature] else {
            order.append(signature)
            groups[signature] = Cause(
                count: 1, runbook: failure.runbook, sqlstate: failure.sqlstate, message: failure.message,
                file: failure.file, line: failure.line, sampleTenants: failure.tenant.map { [$0] } ?? [])
            return 1
        }
        cause.count += 1
        // The message stays as it was said while all say the same.
        if cause.message != failure.message { cause.message = signature.message }
        if cause.sampleTenants.count < Self.samples, let tenant = failure.tenant, !cause.sampleTenants.contains(tenant)
        {
            cause.sampleTenants.append(tenant)
        }
        groups[signature] = cause
        return cause.count
    }

    /// The commonest first; equally common ones in the order in which they appeared.
    package var causes: [Cause] {
        order.compactMap { groups[$0] }.enumerated()
            .sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
            .map(\.element)
    }
}
