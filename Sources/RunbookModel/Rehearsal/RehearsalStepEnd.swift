/// How one runbook's rehearsal in one tenant ended.
package enum RehearsalStepEnd: Sendable {
    case succeeded(rows: Int)
    case failed(Failure)
    /// The rehearsal of the tenant could not go on; that says nothing about the runbook.
    case obstacle(RehearsalObstacle, String)
}
