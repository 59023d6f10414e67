/// What happens while a run goes on, in the order it happens; one NDJSON line each.
package enum RunEvent: Sendable {
    case runStarted(run: String, joined: Bool, tenants: Int, runbooks: Int)
    case tenantStarted(tenant: String?)
    case executionFinished(
        tenant: String?, identity: Identity, state: JobState, rowsAffected: Int, durationMS: Int, failure: Failure?)
    /// A backfill has gone on; at most one a second for each execution.
    case batch(tenant: String?, identity: Identity, progress: BatchProgress)
    case waitingLock(tenant: String?, holder: String?)
    /// Something a person should read: a notice, a retry.
    case message(String)
    case tenantFinished(tenant: String?, state: JobState, durationMS: Int)
    /// Always the last one, on failure and interrupt too.
    case summary(Report)
}

/// Takes events as they happen, from any thread.
package protocol EventSink: Sendable {
    func send(_ event: RunEvent)
}
