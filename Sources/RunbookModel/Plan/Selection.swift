/// What part of the manifest and of the tenants a command is about. Empty means all.
package struct Selection: Sendable, Hashable {
    package var phase: String?
    package var runbooks: [String]
    package var tenants: [String]
    /// Label to accepted values.
    package var match: [String: [String]]
    package var skippedTenants: [String]

    package init(
        phase: String? = nil, runbooks: [String] = [], tenants: [String] = [], match: [String: [String]] = [:],
        skippedTenants: [String] = []
    ) {
        self.phase = phase
        self.runbooks = runbooks
        self.tenants = tenants
        self.match = match
        self.skippedTenants = skippedTenants
    }

    package var narrowsTenants: Bool { !tenants.isEmpty || !skippedTenants.isEmpty || !match.isEmpty }
}
