/// `muster resolve`: encodes as `muster.resolve/1`.
package struct ResolveReport: Sendable, Codable {
    package var schema = "muster.resolve/1"
    package var command = "resolve"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    package var runbook: String?
    package var key: String?
    package var decision: Decision?
    package var tenants: [Answer]
    /// What went wrong; null when the question was answered.
    package var error: ReportError?

    package init(
        ok: Bool, exitCode: Int, workspace: String? = nil, identity: Identity? = nil, decision: Decision? = nil,
        tenants: [Answer] = [], error: ReportError? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        runbook = identity?.runbook
        key = identity?.key
        self.decision = decision
        self.tenants = tenants
        self.error = error
    }

    /// What a person says of work whose end nobody saw.
    package enum Decision: String, Sendable, Codable, CaseIterable {
        /// It is done.
        case applied
        /// It is to be run again.
        case retry
    }

    package struct Answer: Sendable, Codable, Hashable {
        /// null for a runbook of workspace scope.
        package var tenant: String?
        /// What it was before; null when it was pending.
        package var before: ExecutionState?
        package var result: Result
        package var detail: String?

        package init(tenant: String?, before: ExecutionState?, result: Result, detail: String? = nil) {
            self.tenant = tenant
            self.before = before
            self.result = result
            self.detail = detail
        }
    }

    package enum Result: String, Sendable, Codable, CaseIterable {
        case resolved
        /// There is nothing to decide: it is done, or pending.
        case nothing
        /// Somebody is at work there, or the place could not be reached.
        case busy
    }
}
