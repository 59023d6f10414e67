package import RunbookModel

/// What a hook around a run or a tenant is told besides: why it is started, and what became of it.
package struct HookOccasion: Sendable {
    package var hook: RunHook
    /// Of the run, or of the tenant's job; nil before it.
    package var outcome: String?
    /// Of the run's tenants, once it is complete.
    package var counts: JobCounts?
    /// What failed, grouped; only the first of them.
    package var causes: [Cause] = []
    package var stopReason: String?
    package var release: String?

    package init(hook: RunHook, outcome: String? = nil) {
        self.hook = hook
        self.outcome = outcome
    }

    var variables: [String: String] {
        var variables = ["MUSTER_HOOK": hook.rawValue]
        variables["MUSTER_OUTCOME"] = outcome
        variables["MUSTER_RELEASE"] = release
        variables["MUSTER_STOP_REASON"] = stopReason
        guard let counts else { return variables }
        for (name, count) in [
            ("TOTAL", counts.total), ("PROCESSED", counts.processed), ("SUCCEEDED", counts.succeeded),
            ("SKIPPED", counts.skipped), ("FAILED", counts.failed), ("BLOCKED", counts.blocked),
            ("UNKNOWN", counts.unknown), ("CANCELLED", counts.cancelled),
        ] {
            variables["MUSTER_\(name)"] = String(count)
        }
        return variables
    }
}

/// Members of the hook's JSON object, beside those of every hook.
extension HookOccasion: Encodable {
    private enum CodingKeys: String, CodingKey {
        case hook
        case outcome
        case counts
        case causes
        case stopReason = "stop_reason"
        case release
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(hook, forKey: .hook)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(counts, forKey: .counts)
        try container.encode(causes.map(GroupedCause.init), forKey: .causes)
        try container.encode(stopReason, forKey: .stopReason)
        try container.encode(release, forKey: .release)
    }

    private struct GroupedCause: Encodable {
        let cause: Cause

        private enum CodingKeys: String, CodingKey {
            case count
            case runbook
            case sqlstate
            case message
            case sampleTenants = "sample_tenants"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(cause.count, forKey: .count)
            try container.encode(cause.runbook, forKey: .runbook)
            try container.encode(cause.sqlstate, forKey: .sqlstate)
            try container.encode(cause.message, forKey: .message)
            try container.encode(cause.sampleTenants, forKey: .sampleTenants)
        }
    }
}
