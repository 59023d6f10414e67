/// What is known of a runbook in a tenant after the rehearsal.
package enum RehearsalState: String, Sendable, Codable, CaseIterable {
    case wouldSucceed = "would_succeed"
    case wouldFail = "would_fail"
    /// It comes after one that would fail, or apply would not run it now.
    case blocked
    case notRehearsed = "not_rehearsed"
    /// The end of its last attempt was not seen: apply leaves it to a person.
    case unknown
}
