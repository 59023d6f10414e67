/// Whether a run does what is pending, or takes back what is done.
package enum RunKind: String, Sendable, Codable, CaseIterable {
    case apply
    case rollback
}
