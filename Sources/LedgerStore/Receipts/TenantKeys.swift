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

    /// The keys of another tenant of the same workspace.
    package func of(_ tenant: String, in workspace: String) -> TenantKeys {
        TenantKeys(gate: gate, workspace: self.workspace, tenant: LockKey.tenant(tenant, workspace: workspace))
    }

    private init(gate: Int64, workspace: Int64, tenant: Int64) {
        self.gate = gate
        self.workspace = workspace
        self.tenant = tenant
    }

    package var all: [Int64] { [gate, workspace, tenant] }
}
