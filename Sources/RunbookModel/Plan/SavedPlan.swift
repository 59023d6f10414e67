/// A plan to be applied later, if nothing has moved until then: `muster.saved_plan/1`.
///
/// It is small whatever the number of tenants: what must be the same is kept as digests, and what people want to read as
/// counts, and as groups of tenants that are alike. It holds no secrets: of an address it knows server and database.
package struct SavedPlan: Sendable, Codable {
    package static let schema = "muster.saved_plan/1"

    package var schema = Self.schema
    /// RFC 3339.
    package var madeAt = ""
    package var workspace: String
    package var manifest: ManifestFacts
    package var selection: SavedSelection
    package var ledger: LedgerFacts
    package var tenants: TenantFacts
    package var decisions: DecisionFacts
    package var runbooks: [SavedRunbook]
    package var groups: [Group]
    package var estimate: DeployEstimate?
    package var notices: [String] = []

    package struct ManifestFacts: Sendable, Codable {
        /// As the user named it.
        package var path: String
        package var digest: String

        package init(path: String, digest: String) {
            self.path = path
            self.digest = digest
        }
    }

    package struct LedgerFacts: Sendable, Codable {
        /// When it was made, in milliseconds since 1970: that tells it from any other; null while there was none.
        package var born: Int?

        package init(born: Int?) { self.born = born }
    }

    package struct TenantFacts: Sendable, Codable {
        /// In scope.
        package var count: Int
        /// Over the id, the place and the labels of each.
        package var digest: String

        package init(count: Int, digest: String) {
            self.count = count
            self.digest = digest
        }
    }

    package struct DecisionFacts: Sendable, Codable {
        /// Executions that would run.
        package var pending: Int
        /// Over what would become of each runbook in each tenant with anything undone.
        package var digest: String

        package init(pending: Int, digest: String) {
            self.pending = pending
            self.digest = digest
        }
    }

    package struct SavedRunbook: Sendable, Codable {
        package var id: String
        package var key: String
        package var checksum: String
        package var counts: PlanReport.DecisionCounts
        package var preflight: PlanReport.PreflightSum?

        package init(_ runbook: PlanReport.PlannedRunbook) {
            id = runbook.id
            key = runbook.key
            checksum = runbook.checksum
            counts = runbook.counts
            preflight = runbook.preflight
        }
    }

    /// Tenants in which the same would be done.
    package struct Group: Sendable, Codable {
        package var count: Int
        /// The first of them; null stands for the workspace.
        package var sampleTenants: [String?]
        package var steps: [Step]

        package init(count: Int, sampleTenants: [String?], steps: [Step]) {
            self.count = count
            self.sampleTenants = sampleTenants
            self.steps = steps
        }
    }

    package struct Step: Sendable, Codable {
        package var runbook: String
        package var key: String
        package var decision: PlanReport.Decision
        package var reason: String?

        package init(runbook: String, key: String, decision: PlanReport.Decision, reason: String?) {
            self.runbook = runbook
            self.key = key
            self.decision = decision
            self.reason = reason
        }
    }

    package init(
        workspace: String, manifest: ManifestFacts, selection: SavedSelection, ledger: LedgerFacts,
        tenants: TenantFacts, decisions: DecisionFacts, runbooks: [SavedRunbook], groups: [Group]
    ) {
        self.workspace = workspace
        self.manifest = manifest
        self.selection = selection
        self.ledger = ledger
        self.tenants = tenants
        self.decisions = decisions
        self.runbooks = runbooks
        self.groups = groups
    }

    /// Tells this plan from any other.
    package var fingerprint: String {
        Checksum.of([madeAt, workspace, manifest.digest, tenants.digest, decisions.digest].joined(separator: "\n"))
    }
}

/// A selection as a file holds it: labels are words of the user's, and so no names of members.
package struct SavedSelection: Sendable, Codable {
    package var phase: String?
    package var runbooks: [String]
    package var tenants: [String]
    package var match: [Label]
    package var skippedTenants: [String]

    package struct Label: Sendable, Codable {
        package var name: String
        package var values: [String]
    }

    package init(_ selection: Selection) {
        phase = selection.phase
        runbooks = selection.runbooks
        tenants = selection.tenants
        match = selection.match.sorted { $0.key < $1.key }.map { Label(name: $0.key, values: $0.value) }
        skippedTenants = selection.skippedTenants
    }

    package var selection: Selection {
        Selection(
            phase: phase, runbooks: runbooks, tenants: tenants,
            match: Dictionary(match.map { ($0.name, $0.values) }, uniquingKeysWith: +), skippedTenants: skippedTenants)
    }
}
