/// How one runbook's rehearsal in one tenant ended.
package enum RehearsalStepEnd: Sendable {
    /// - Parameter plainBuild: of a plain twin, how long its statements took.
    case succeeded(rows: Int, plainBuild: Duration? = nil)
    case failed(Failure)
    /// The rehearsal of the tenant could not go on; that says nothing about the runbook.
    case obstacle(RehearsalObstacle, String)
}
