/// What apply would do with one identity in one tenant.
package enum PlanDecision: String, Sendable, Codable, CaseIterable {
    case run
    /// Done already: skipped.
    case done
    case blocked
    case notApplicable = "not_applicable"
    case drifted
    case unknown
}
