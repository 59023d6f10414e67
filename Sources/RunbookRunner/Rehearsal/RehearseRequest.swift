package import RunbookModel

/// What `rehearse` is asked to do, besides the manifest.
package struct RehearseRequest: Sendable {
    package static let usualMaxHold: Duration = .seconds(10)
    package static let usualLockWait: Duration = .seconds(2)

    package var selection: Selection
    /// How many of the tenants with something to do; nil for all.
    package var sample: Int?
    package var concurrency: Int?
    /// How long a tenant's lock is waited for.
    package var lockWait: Duration
    /// How long a tenant's transaction may stay open.
    package var maxHold: Duration
    package var expectedTenants: Int?

    package init(
        selection: Selection = Selection(), sample: Int? = nil, concurrency: Int? = nil,
        lockWait: Duration = Self.usualLockWait, maxHold: Duration = Self.usualMaxHold, expectedTenants: Int? = nil
    ) {
        self.selection = selection
        self.sample = sample
        self.concurrency = concurrency
        self.lockWait = lockWait
        self.maxHold = maxHold
        self.expectedTenants = expectedTenants
    }
}
