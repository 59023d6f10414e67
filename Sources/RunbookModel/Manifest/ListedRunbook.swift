/// What can be told of a runbook from a manifest's text alone, without its files.
package struct ListedRunbook: Sendable, Hashable {
    package var identity: Identity
    package var phase: String
    package var scope: RunbookScope
    /// Whether its labels leave tenants out.
    package var hasMatch: Bool

    package init(identity: Identity, phase: String, scope: RunbookScope = .tenant, hasMatch: Bool = false) {
        self.identity = identity
        self.phase = phase
        self.scope = scope
        self.hasMatch = hasMatch
    }
}
