/// The strongest lock on one relation, and how long it was held.
package struct RelationLock: Sendable, Codable, Hashable {
    /// Without its schema where that is the tenant's.
    package var relation: String
    package var mode: RelationLockMode
    /// Whose work took it.
    package var runbook: String
    package var heldMS: Int

    package init(relation: String, mode: RelationLockMode, runbook: String, heldMS: Int) {
        self.relation = relation
        self.mode = mode
        self.runbook = runbook
        self.heldMS = heldMS
    }

    static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
