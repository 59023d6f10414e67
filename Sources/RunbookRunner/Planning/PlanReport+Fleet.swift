import DatabaseAccess
import RunbookModel

extension PlanReport {
    /// A plan as people and scripts read it.
    init(_ fleet: PlannedFleet, _ facts: PlanFacts, concurrency: Int?, ledgerExists: Bool) {
        let plan = fleet.plan
        let hasDrifted = fleet.hasDrifted
        let sums = PlanSums(fleet, facts)
        self.init(
            ok: !hasDrifted, exitCode: Int((hasDrifted ? ExitStatus.refused : .done).rawValue),
            workspace: plan.manifest.workspace, phase: plan.selection.phase, digest: plan.manifest.source.digest,
            ledgerExists: ledgerExists, tenantCount: plan.tenants.count, pending: sums.pending,
            runbooks: plan.runbooks.map { sums.planned($0) }, notices: facts.notices,
            error: hasDrifted
                ? ReportError(code: "drift", message: RunbookService.driftMessage(fleet)) : nil,
            next: sums.pending > 0 && !hasDrifted
                ? RunbookService.applyCommand(plan.manifest, plan.selection) : nil)
        tenants = sums.tenants
        locks = facts.locks
        if sums.pending > 0 { estimate = sums.estimate(concurrency) }
    }
}

/// Counts a plan once, for each runbook and each tenant.
private struct PlanSums {
    let fleet: PlannedFleet
    let facts: PlanFacts
    private(set) var pending = 0
    /// Tenants with anything undone.
    private(set) var tenants: [PlanReport.PlannedTenant] = []
    private var counts: [Identity: PlanReport.DecisionCounts] = [:]
    private var seen: [Identity: Int] = [:]
    private var preflight: [Identity: PlanReport.PreflightSum] = [:]

    init(_ fleet: PlannedFleet, _ facts: PlanFacts) {
        self.fleet = fleet
        self.facts = facts
        for outlook in fleet.outlooks {
            for step in outlook.steps {
                counts[step.runbook.identity, default: .init()].add(.init(step.decision), outlook.count)
                seen[step.runbook.identity, default: 0] += outlook.count
                if step.decision == .run { pending += outlook.count }
            }
        }
        // Those that are alike share their steps.
        let steps = fleet.outlooks.map { outlook in
            outlook.steps.filter { $0.decision != .done && $0.decision != .notApplicable }.map { step in
                PlanReport.PlannedStep(
                    runbook: step.runbook.id, key: step.runbook.key, decision: .init(step.decision),
                    reason: step.reason)
            }
        }
        tenants.reserveCapacity(fleet.unsettledCount)
        for (place, outlook) in fleet.unsettled {
            tenants.append(
                PlanReport.PlannedTenant(
                    tenant: fleet.plan.tenantID(at: place).nilIfEmpty, steps: own(steps[outlook], at: place)))
        }
    }

    /// A place's steps with what it answered itself.
    private mutating func own(_ steps: [PlanReport.PlannedStep], at place: Int) -> [PlanReport.PlannedStep] {
        let answers = facts.preflight[place]
        let away = whyAway(place, answers)
        guard answers != nil || away != nil else { return steps }
        var own = steps
        for index in own.indices where own[index].decision == .run {
            let identity = Identity(runbook: own[index].runbook, key: own[index].key)
            if let answer = answers?[identity] {
                preflight[identity, default: .init()].add(answer)
                own[index].preflight = .init(answer)
            }
            if let away {
                own[index].decision = .unreachable
                own[index].reason = away
                counts[identity]?.run -= 1
                counts[identity]?.add(.unreachable)
            }
        }
        return own
    }

    /// Why a place cannot be worked on now; nil as far as anybody knows.
    private func whyAway(_ place: Int, _ answers: [Identity: PreflightAnswer]?) -> String? {
        for answer in answers?.values ?? [:].values {
            if case .unreachable(let reason) = answer { return reason }
        }
        guard !facts.away.isEmpty,
            let url = try? ConnectionURL(parsing: fleet.plan.member(at: place).target.url.revealed)
        else { return nil }
        return facts.away[url.server]
    }

    func planned(_ runbook: Runbook) -> PlanReport.PlannedRunbook {
        var decisions = counts[runbook.identity] ?? .init()
        // Tenants with nothing undone are not listed: there it is done, or does not apply.
        let total = runbook.scope == .workspace ? 1 : fleet.plan.tenants.count
        let rest = total - (seen[runbook.identity] ?? 0)
        let notApplying = max(0, total - fleet.countApplying(runbook) - decisions.notApplicable)
        decisions.add(.notApplicable, notApplying)
        decisions.add(.done, max(0, rest - notApplying))
        return PlanReport.PlannedRunbook(
            id: runbook.id, key: runbook.key, title: runbook.title, phase: runbook.phase, scope: runbook.scope,
            kind: runbook.kind, transaction: runbook.isTransactional, file: runbook.file, checksum: runbook.checksum,
            counts: decisions, preflight: preflight[runbook.identity], duration: facts.durations[runbook.identity])
    }

    func estimate(_ concurrency: Int?) -> DeployEstimate {
        fleet.estimate(
            concurrency, pending: counts.mapValues { $0.run + $0.unreachable },
            means: facts.durations.mapValues { .milliseconds($0.meanMS) })
    }
}
