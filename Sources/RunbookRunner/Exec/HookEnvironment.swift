private import DatabaseAccess
private import FoundationEssentials
package import RunbookModel

/// What a hook finds in its environment and on its stdin. Both hold the tenant's URL with its password by design, and
/// nothing that leads to another tenant.
package struct HookEnvironment: Sendable {
    package let variables: [String: String]
    /// One JSON object and a newline.
    package let input: [UInt8]

    /// - Parameters:
    ///   - inherited: Muster's own environment. `MUSTER_*`, `PG*`, `DIRECT_URL` and `DATABASE_URL` are taken out.
    ///   - fleet: URLs that reach more than this tenant; a variable with such a value is taken out, whatever its name.
    ///   - occasion: of a hook around a run or a tenant.
    package init(
        _ facts: HookFacts, inherited: [String: String], fleet: [Redacted] = [], occasion: HookOccasion? = nil
    ) {
        let withheld = Set(fleet.map(\.revealed)).subtracting([""])
        var variables = inherited.filter { name, value in
            !name.hasPrefix("MUSTER_") && !name.hasPrefix("PG") && name != "DIRECT_URL" && name != "DATABASE_URL"
                && !withheld.contains(value)
        }
        let target = facts.url.description
        variables["DATABASE_URL"] = facts.url.revealed
        variables["MUSTER_RUN_ID"] = facts.runID
        variables["MUSTER_RUNBOOK"] = facts.identity.runbook
        variables["MUSTER_KEY"] = facts.identity.key
        variables["MUSTER_TENANT"] = facts.tenant
        variables["MUSTER_TENANT_SCHEMA"] = facts.schema
        variables["MUSTER_TENANT_TARGET"] = target
        variables["MUSTER_TENANT_URL"] = facts.url.revealed
        variables["MUSTER_ATTEMPT"] = String(facts.attempt)
        variables["MUSTER_PHASE"] = facts.phase
        variables["MUSTER_DRY_RUN"] = facts.isDryRun ? "1" : "0"
        variables["MUSTER_ROLLBACK"] = facts.isRollback ? "1" : "0"
        variables["MUSTER_IDEMPOTENCY_KEY"] = facts.idempotencyKey
        if let occasion { variables.merge(occasion.variables) { $1 } }
        self.variables = variables
        input = Self.encode(
            HookDocument(
                runID: facts.runID, runbook: facts.identity.runbook, key: facts.identity.key, tenant: facts.tenant,
                tenantSchema: facts.schema, tenantTarget: target, tenantURL: facts.url.revealed,
                attempt: facts.attempt, phase: facts.phase, dryRun: facts.isDryRun,
                rollback: facts.isRollback, idempotencyKey: facts.idempotencyKey, occasion: occasion))
    }

    private static func encode(_ document: HookDocument) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings, whole numbers and truth values cannot fail to encode.
        return Array((try? encoder.encode(document)) ?? Data()) + [UInt8(ascii: "\n")]
    }
}

/// The object on a hook's stdin; null rather than absent.
private struct HookDocument: Encodable {
    var runID: String
    var runbook: String
    var key: String
    var tenant: String?
    var tenantSchema: String?
    var tenantTarget: String
    var tenantURL: String
    var attempt: Int
    var phase: String
    var dryRun: Bool
    var rollback: Bool
    var idempotencyKey: String
    var occasion: HookOccasion?

    enum CodingKeys: String, CodingKey {
        case runID = "run_id"
        case runbook
        case key
        case tenant
        case tenantSchema = "tenant_schema"
        case tenantTarget = "tenant_target"
        case tenantURL = "tenant_url"
        case attempt
        case phase
        case dryRun = "dry_run"
        case rollback
        case idempotencyKey = "idempotency_key"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(runID, forKey: .runID)
        try container.encode(runbook, forKey: .runbook)
        try container.encode(key, forKey: .key)
        try container.encode(tenant, forKey: .tenant)
        try container.encode(tenantSchema, forKey: .tenantSchema)
        try container.encode(tenantTarget, forKey: .tenantTarget)
        try container.encode(tenantURL, forKey: .tenantURL)
        try container.encode(attempt, forKey: .attempt)
        try container.encode(phase, forKey: .phase)
        try container.encode(dryRun, forKey: .dryRun)
        try container.encode(rollback, forKey: .rollback)
        try container.encode(idempotencyKey, forKey: .idempotencyKey)
        try occasion?.encode(to: encoder)
    }
}
