import RunbookModel

/// The three keys that stand between a tenant and everybody else.
package struct TenantKeys: Sendable, Hashable {
    package let gate: Int64
    package let workspace: Int64
    package let tenant: Int64

    package init(workspace: String, tenant: String) {
        gate = LockKey.gate(workspace)
        self.workspace = LockKey.workspace(workspace)
        self.tenant = LockKey.tenant(tenant, workspace: workspace)
    }

    package var all: [Int64] { [gate, workspace, tenant] }
}
