package import RunbookModel

/// What is on record of one tenant of a scope.
package struct TenantRecords: Sendable {
    /// By index into the scope's identities. What stands in the tenant's set has attempt 0: nobody counts there.
    package var executions: [Int: RecordedExecution]
    /// Tenants with the same number have the same records, which then need to be judged only once; nil when some of them
    /// are the tenant's own.
    package var group: Int?

    package init(executions: [Int: RecordedExecution], group: Int?) {
        self.executions = executions
        self.group = group
    }
}
