import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Asks where nothing can be written.
    func read<Answer>(
        _ question: @Sendable (Ledger) throws(DatabaseError) -> Answer
    ) throws(ServiceError) -> Answer {
        try asking { ledger throws(DatabaseError) in
            try ledger.reading { () throws(DatabaseError) in try question(ledger) }
        }
    }

    func status(
        _ scope: LedgerScope, _ runbooks: [StatusReport.RunbookStatus], _ notices: [String], ledgerExists: Bool
    ) throws(ServiceError) -> StatusReport {
        var report = StatusReport(
            workspace: workspace, ledgerExists: ledgerExists, asOf: Date(),
            tenantCount: scope.tenants.count { !$0.id.isEmpty }, runbooks: runbooks, notices: notices)
        var table = Ledger.StateTable(
            byIdentity: Array(repeating: .init(), count: scope.identities.count),
            byTenant: Array(repeating: .init(), count: scope.tenants.count))
        if ledgerExists {
            (table, report.run) = try read { ledger throws(DatabaseError) in
                (try ledger.states(in: scope), try ledger.runs(limit: 1).first)
            }
        } else {
            for member in scope.members {
                for index in scope.tenants.indices where scope.tenants[index].cohort == member.cohort {
                    table.byIdentity[member.identity].pending += 1
                    table.byTenant[index].pending += 1
                }
            }
        }
        for index in report.runbooks.indices {
            let identity = Identity(runbook: report.runbooks[index].id, key: report.runbooks[index].key)
            if let place = scope.identities.firstIndex(where: { $0.identity == identity }) {
                report.runbooks[index].counts = table.byIdentity[place]
            }
        }
        report.tenants = scope.tenants.indices.filter { !scope.tenants[$0].id.isEmpty }.map {
            StatusReport.TenantStatus(tenant: scope.tenants[$0].id, counts: table.byTenant[$0])
        }
        return report
    }

    /// What the ledger itself knows, as a scope.
    func lastSeenScope(
        _ selection: Selection
    ) throws(ServiceError) -> (LedgerScope, [StatusReport.RunbookStatus], [String]) {
        guard ledger != nil else { return (LedgerScope(tenants: [], identities: [], members: []), [], []) }
        let seen = try read { ledger throws(DatabaseError) in try ledger.lastSeen() }
        let identities = seen.identities.filter {
            (selection.phase == nil || selection.phase == $0.phase)
                && (selection.runbooks.isEmpty || selection.runbooks.contains($0.identity.runbook))
        }
        let skipped = Set(selection.skippedTenants)
        let tenants = seen.tenants.filter {
            (selection.tenants.isEmpty || selection.tenants.contains($0)) && !skipped.contains($0)
        }
        for tenant in selection.tenants where !seen.tenants.contains(tenant) {
            throw ServiceError(.unknownName, "The ledger has never seen a tenant \"\(tenant)\".")
        }
        var scope = LedgerScope(
            tenants: tenants.map { LedgerScope.ScopedTenant(id: $0, cohort: 0) },
            identities: identities.map {
                LedgerScope.ScopedIdentity(identity: $0.identity, checksum: $0.checksum, acceptsChange: true)
            },
            members: identities.indices.map {
                LedgerScope.Member(cohort: identities[$0].scope == .tenant ? 0 : 1, identity: $0)
            })
        if identities.contains(where: { $0.scope == .workspace }) {
            scope.tenants.append(LedgerScope.ScopedTenant(id: "", cohort: 1))
        }
        let runbooks = identities.map { seen in
            StatusReport.RunbookStatus(
                id: seen.identity.runbook, key: seen.identity.key, title: seen.title, phase: seen.phase,
                scope: seen.scope, counts: .init())
        }
        return (
            scope, runbooks, ["Tenants and runbooks as the ledger last saw them; a manifest would ask their source."]
        )
    }

    func detail(ofRun id: String) throws(ServiceError) -> RunDetail? {
        try read { ledger throws(DatabaseError) in
            guard let record = try ledger.run(id) else { return nil }
            let summaries = try ledger.runbookSummaries(ofRun: id).values.sorted { $0.id < $1.id }
            return RunDetail(
                run: record, runbooks: summaries, failures: try ledger.failures(ofRun: id, hasHooks: true),
                hooks: try ledger.hooks(ofRun: id), manifest: try ledger.manifest(ofRun: id))
        }
    }

    /// Questions that the ledger alone can make sense of: full identities it has seen, and named tenants.
    func checkQuestions(
        _ identities: [(runbook: String, key: String?)], tenants: [String]
    ) throws(ServiceError) -> [CheckQuestion] {
        let seen = try read { ledger throws(DatabaseError) in try ledger.lastSeen() }
        for tenant in tenants where !seen.tenants.contains(tenant) {
            throw ServiceError(.unknownName, "The ledger has never seen a tenant \"\(tenant)\".")
        }
        var questions: [CheckQuestion] = []
        for (runbook, key) in identities {
            guard let key else {
                throw ServiceError(
                    .unknownName, "Without a manifest a full RUNBOOK@KEY is needed; \"\(runbook)\" has no key.")
            }
            let known = try read { ledger throws(DatabaseError) in try ledger.keys(of: runbook) }
            guard known.contains(key) else {
                throw ServiceError(.unknownName, "The ledger has never seen \(runbook)@\(key).")
            }
            let isOnce = seen.identities.contains { $0.identity.runbook == runbook && $0.scope == .workspace }
            questions.append(
                CheckQuestion(
                    identity: Identity(runbook: runbook, key: key), checksum: nil, acceptsChange: true,
                    tenants: isOnce ? [""] : tenants))
        }
        return questions
    }

    func check(_ questions: [CheckQuestion]) throws(ServiceError) -> [CheckReport.CheckedIdentity] {
        try read { ledger throws(DatabaseError) in
            var checked: [CheckReport.CheckedIdentity] = []
            for question in questions {
                var answer = CheckReport.CheckedIdentity(
                    runbook: question.identity.runbook, key: question.identity.key, asked: question.tenants.count,
                    done: question.tenants.count, unknown: 0, drifted: 0, missing: [])
                let scope = LedgerScope(
                    tenants: question.tenants.map { LedgerScope.ScopedTenant(id: $0, cohort: 0) },
                    identities: [
                        LedgerScope.ScopedIdentity(
                            identity: question.identity, checksum: question.checksum ?? "",
                            acceptsChange: question.acceptsChange || question.checksum == nil)
                    ], members: [LedgerScope.Member(cohort: 0, identity: 0)])
                try ledger.forEachUnsettled(in: scope) { index, records throws(DatabaseError) in
                    answer.done -= 1
                    switch records.executions[0]?.state {
                    case .unknown, .running: answer.unknown += question.goesOn ? 0 : 1
                    case .succeeded, .baselined: answer.drifted += 1
                    default: break
                    }
                    if answer.missing.count < 10 { answer.missing.append(question.tenants[index]) }
                }
                checked.append(answer)
            }
            return checked
        }
    }
}

extension StatusReport.RunbookStatus {
    init(_ runbook: Runbook) {
        self.init(
            id: runbook.id, key: runbook.key, title: runbook.title, phase: runbook.phase, scope: runbook.scope,
            counts: .init())
    }
}
