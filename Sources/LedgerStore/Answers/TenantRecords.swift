package import RunbookModel

/// What is on record of one tenant of a scope.
///
/// Most tenants are alike: who judges them can tell by `group` and `own` that they are, and looks at `executions` once.
package struct TenantRecords: Sendable {
    /// The set that the tenant's finished work is in; 0 for none. Tenants with the same number and nothing of their own
    /// have the same records.
    package let set: Int
    /// The tenant's own rows, which stand before the members of its set: one line each, with everything in it that
    /// `executions` tells.
    package let own: String?
    private let sealed: [Int: RecordedExecution]

    init(set: Int, sealed: [Int: RecordedExecution], own: String?) {
        self.set = set
        self.own = own
        self.sealed = sealed
    }

    /// Nothing is on record.
    package static let none = TenantRecords(set: 0, sealed: [:], own: nil)

    /// The same for tenants with the same records; nil when some of them are the tenant's own.
    package var group: Int? { own == nil ? set : nil }

    /// By index into the scope's identities. What stands in the tenant's set has attempt 0: nobody counts there.
    package var executions: [Int: RecordedExecution] {
        guard let own else { return sealed }
        var executions = sealed
        for line in own.split(separator: "\n") {
            let fields = line.split(separator: " ", maxSplits: 1)
            guard let identity = fields.first.flatMap({ Int($0) }), fields.count == 2 else { continue }
            executions[identity - 1] = Self.execution(fields[1])
        }
        return executions
    }

    /// From state, clean (`1`, `0` or `-`), attempt and checksum.
    static func execution(_ text: some StringProtocol) -> RecordedExecution? {
        let fields = text.split(separator: " ", maxSplits: 3)
        guard fields.count == 4, let state = ExecutionState(rawValue: String(fields[0])) else { return nil }
        return RecordedExecution(
            state: state, clean: fields[1] == "-" ? nil : fields[1] == "1", checksum: String(fields[3]),
            attempt: Int(fields[2]) ?? 0)
    }
}
