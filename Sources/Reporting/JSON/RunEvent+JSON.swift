package import FoundationEssentials
package import RunbookModel

extension RunEvent {
    /// The event as NDJSON has it: its name, when it happened, its facts. A report is nested in its summary.
    package func json(at time: Date) throws -> JSONValue {
        var members = [JSONValue.Member("event", .text(name)), JSONValue.Member("at", .text(time.rfc3339))]
        func add(_ name: String, _ value: some Encodable) throws {
            members.append(JSONValue.Member(name, try ReportEncoder.value(of: value)))
        }
        switch self {
        case .runStarted(let run, let joined, let tenants, let runbooks):
            try add("run", run)
            try add("joined", joined)
            try add("tenants", tenants)
            try add("runbooks", runbooks)
        case .tenantStarted(let tenant):
            try add("tenant", tenant)
        case .executionFinished(let tenant, let identity, let state, let rowsAffected, let durationMS, let failure):
            try add("tenant", tenant)
            try add("runbook", identity.runbook)
            try add("key", identity.key)
            try add("state", state)
            try add("rows_affected", rowsAffected)
            try add("duration_ms", durationMS)
            try add("failure", failure)
        case .batch(let tenant, let identity, let progress):
            try add("tenant", tenant)
            try add("runbook", identity.runbook)
            try add("key", identity.key)
            try add("rows", progress.rows)
            try add("total", progress.total)
            try add("batches", progress.batches)
            try add("size", progress.size)
            try add("cursor", progress.cursor)
            try add("elapsed_ms", progress.elapsedMS)
            try add("remaining_ms", progress.remainingMS)
            try add("waiting_for", progress.waitingFor)
        case .waitingLock(let tenant, let holder):
            try add("tenant", tenant)
            try add("holder", holder)
        case .message(let text):
            try add("message", text)
        case .tenantFinished(let tenant, let state, let durationMS):
            try add("tenant", tenant)
            try add("state", state)
            try add("duration_ms", durationMS)
        case .summary(let report):
            try add("report", report)
        }
        return .object(members)
    }

    /// The event's name in NDJSON.
    package var name: String {
        switch self {
        case .runStarted: "run_started"
        case .tenantStarted: "tenant_started"
        case .executionFinished: "execution_finished"
        case .batch: "batch"
        case .waitingLock: "waiting_lock"
        case .message: "message"
        case .tenantFinished: "tenant_finished"
        case .summary: "summary"
        }
    }
}
