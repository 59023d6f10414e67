/// One execution that did not end well, with everything needed to find the place.
package struct Failure: Sendable, Codable, Hashable {
    /// null for a runbook of workspace scope.
    package var tenant: String?
    package var runbook: String?
    package var key: String?
    /// `failed`, `unknown`, `blocked` or `drifted`.
    package var state: String
    package var reason: BlockReason?
    package var clean: Bool?
    package var sqlstate: String?
    package var message: String
    package var detail: String?
    package var hint: String?
    package var file: String?
    package var line: Int?
    /// The failing statement's text around the error.
    package var statement: String?
    package var attempts: Int

    package init(
        tenant: String?, runbook: String?, key: String?, state: String, reason: BlockReason? = nil, clean: Bool? = nil,
        sqlstate: String? = nil, message: String, detail: String? = nil, hint: String? = nil, file: String? = nil,
        line: Int? = nil, statement: String? = nil, attempts: Int = 1
    ) {
        self.tenant = tenant
        self.runbook = runbook
        self.key = key
        self.state = state
        self.reason = reason
        self.clean = clean
        self.sqlstate = sqlstate
        self.message = message
        self.detail = detail
        self.hint = hint
        self.file = file
        self.line = line
        self.statement = statement
        self.attempts = attempts
    }
}

/// Failures that are the same failure.
package struct Cause: Sendable, Codable, Hashable {
    package var count: Int
    package var runbook: String?
    package var sqlstate: String?
    package var message: String
    package var file: String?
    package var line: Int?
    package var sampleTenants: [String]

    package init(
        count: Int, runbook: String?, sqlstate: String?, message: String, file: String?, line: Int?,
        sampleTenants: [String]
    ) {
        self.count = count
        self.runbook = runbook
        self.sqlstate = sqlstate
        self.message = message
        self.file = file
        self.line = line
        self.sampleTenants = sampleTenants
    }
}
