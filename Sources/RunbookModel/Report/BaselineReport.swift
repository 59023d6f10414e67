/// `muster ledger baseline`: encodes as `muster.baseline/1`.
package struct BaselineReport: Sendable, Codable {
    package var schema = "muster.baseline/1"
    package var command = "ledger baseline"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    /// How many tenants were asked about.
    package var tenants: Int
    /// What was asked about, in the manifest's order.
    package var runbooks: [RunbookCount]
    /// Tenants in which not all of it could be declared done.
    package var refusals: [Refusal]
    package var notices: [String]
    /// What went wrong outside any tenant; null otherwise.
    package var error: ReportError?

    package init(
        ok: Bool, exitCode: Int, workspace: String? = nil, tenants: Int = 0, runbooks: [RunbookCount] = [],
        refusals: [Refusal] = [], notices: [String] = [], error: ReportError? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        self.tenants = tenants
        self.runbooks = runbooks
        self.refusals = refusals
        self.notices = notices
        self.error = error
    }

    package struct RunbookCount: Sendable, Codable, Hashable {
        package var id: String
        package var key: String
        /// In how many places it was declared done.
        package var baselined: Int
        /// In how many it was done before.
        package var done: Int

        package init(id: String, key: String, baselined: Int = 0, done: Int = 0) {
            self.id = id
            self.key = key
            self.baselined = baselined
            self.done = done
        }
    }

    package struct Refusal: Sendable, Codable, Hashable {
        /// null for the workspace's own runbooks.
        package var tenant: String?
        /// null when the tenant as a whole could not be settled.
        package var runbook: String?
        package var key: String?
        package var reason: Reason
        package var detail: String?

        package init(tenant: String?, identity: Identity?, reason: Reason, detail: String? = nil) {
            self.tenant = tenant
            runbook = identity?.runbook
            key = identity?.key
            self.reason = reason
            self.detail = detail
        }
    }

    package enum Reason: String, Sendable, Codable, CaseIterable {
        /// It is running, or its end was not seen: `muster resolve` decides.
        case undecided
        /// Receipts stand under another tenant's name: `muster ledger repair` decides.
        case foreignReceipt = "foreign_receipt"
        /// Somebody is at work there, or the place could not be reached.
        case busy
    }
}
