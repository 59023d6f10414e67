/// `muster ledger repair`: encodes as `muster.repair/1`.
package struct RepairReport: Sendable, Codable {
    package var schema = "muster.repair/1"
    package var command = "ledger repair"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    /// null when it was only looked at.
    package var action: Action?
    /// How many tenants were looked at.
    package var tenants: Int
    package var findings: [Finding]
    /// What went wrong; null when the question was answered.
    package var error: ReportError?

    package init(
        ok: Bool, exitCode: Int, workspace: String? = nil, action: Action? = nil, tenants: Int = 0,
        findings: [Finding] = [], error: ReportError? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        self.action = action
        self.tenants = tenants
        self.findings = findings
        self.error = error
    }

    /// What is done about a disagreement.
    package enum Action: String, Sendable, Codable, CaseIterable {
        /// Receipts under another name become this tenant's.
        case adopt
        /// What the tenant has no receipt of becomes pending again.
        case forgetMissing = "forget_missing"
        /// What is done takes the manifest's checksum.
        case acceptChecksum = "accept_checksum"
    }

    /// What ledger and tenant disagree about.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// The ledger says done, the tenant has no receipt: restored from an older backup, or replaced. Or its receipt says
        /// rolled back: by a runner that was killed, in a run that was cancelled then.
        case missingReceipt = "missing_receipt"
        /// The receipt stands under another tenant's name: renamed, or copied from a template.
        case foreignReceipt = "foreign_receipt"
        /// The tenant has the receipt, the ledger does not know: the next apply takes it over.
        case missingRecord = "missing_record"
        /// Done with another body than the manifest's, or than the other side's.
        case changedBody = "changed_body"
        /// The tenant could not be asked.
        case unanswered

        /// What sets it right.
        package var remedy: Action? {
            switch self {
            case .missingReceipt: .forgetMissing
            case .foreignReceipt: .adopt
            case .changedBody: .acceptChecksum
            case .missingRecord, .unanswered: nil
            }
        }
    }

    package struct Finding: Sendable, Codable, Hashable {
        /// null for the workspace's own runbooks.
        package var tenant: String?
        package var runbook: String?
        package var key: String?
        package var kind: Kind
        /// The other name, the checksums, or why there was no answer.
        package var detail: String?
        package var repaired: Bool

        package init(
            tenant: String?, identity: Identity?, kind: Kind, detail: String? = nil, repaired: Bool = false
        ) {
            self.tenant = tenant
            runbook = identity?.runbook
            key = identity?.key
            self.kind = kind
            self.detail = detail
            self.repaired = repaired
        }
    }
}
