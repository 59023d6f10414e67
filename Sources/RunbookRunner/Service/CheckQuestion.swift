import RunbookModel

/// One identity and the tenants it is asked about.
struct CheckQuestion: Sendable {
    var identity: Identity
    /// nil where no manifest says what the body should be.
    var checksum: String?
    var acceptsChange: Bool
    /// What is under way goes on by itself, and nobody has to decide about it: a backfill in batches.
    var goesOn = false
    /// Empty names mean the workspace.
    var tenants: [String]

    /// - Throws: `.unknownName` for a runbook, key or tenant that is not there: a typing error must not pass a gate.
    static func from(
        _ manifest: Manifest, _ identities: [(runbook: String, key: String?)], tenants: [String]?, all: [Tenant]
    ) throws(ServiceError) -> [CheckQuestion] {
        let byID = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        for tenant in tenants ?? [] where byID[tenant] == nil {
            throw ServiceError(.unknownName, "There is no tenant \"\(tenant)\".")
        }
        var questions: [CheckQuestion] = []
        for (name, key) in identities {
            guard let runbook = manifest.runbooks.first(where: { $0.id == name }) else {
                let nearest = NearestName.of(name, in: manifest.runbooks.map { $0.id })
                throw ServiceError(
                    .unknownName,
                    "There is no runbook \"\(name)\"" + (nearest.map { "; did you mean \"\($0)\"?" } ?? "."))
            }
            let isCurrent = key == nil || key == runbook.key
            let asked = (tenants?.compactMap { byID[$0] } ?? all).filter { runbook.applies(to: $0.labels) }
            questions.append(
                CheckQuestion(
                    identity: Identity(runbook: name, key: key ?? runbook.key),
                    checksum: isCurrent ? runbook.checksum : nil, acceptsChange: runbook.onChange == .accept,
                    goesOn: runbook.batch != nil,
                    tenants: runbook.scope == .workspace ? [""] : asked.map { $0.id }))
        }
        return questions
    }

    /// 0 done everywhere asked, 3 on some, 1 on none, 4 drift, 5 unknown state. Asking about nobody proves nothing
    /// and is done only when there is nobody to ask about.
    static func exit(_ checked: [CheckReport.CheckedIdentity]) -> ExitStatus {
        var exit = ExitStatus.done
        let asked = checked.reduce(0) { $0 + $1.asked }
        let done = checked.reduce(0) { $0 + $1.done }
        if done < asked { exit = done == 0 ? .failed : .partial }
        if checked.contains(where: { $0.unknown > 0 }) { exit = exit.merged(with: .undecided) }
        if checked.contains(where: { $0.drifted > 0 }) { exit = exit.merged(with: .refused) }
        return exit
    }
}
