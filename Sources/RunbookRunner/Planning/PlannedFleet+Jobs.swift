import LedgerStore
import RunbookModel

extension PlannedFleet {
    /// The jobs of a run, a page at a time: tenants with something to run are queued in their first stage; where nothing
    /// can run, the job begins with its end.
    ///
    /// - Parameter durations: how long tenants took before, as far as that was long: they are first.
    func jobs(_ durations: [String: Int] = [:]) -> some Sequence<LedgerScope> {
        let beginnings = outlooks.map(beginning)
        var known: [Int: Int] = [:]
        for (tenant, duration) in durations { if let place = plan.place(of: tenant) { known[place] = duration } }
        let order = LongestFirst.order(unsettled.map(\.place), durations: known)
        return FleetPages(plan, places: order).lazy.map { page in
            var jobs = page
            for index in page.tenants.indices {
                let place = order[page.offset + index]
                guard let number = number(at: place) else { continue }
                jobs.tenants[index].stage = plan.course.place(
                    stage: beginnings[number].stage, wave: plan.wave(at: place))
                jobs.tenants[index].state = beginnings[number].state
                jobs.tenants[index].reason = beginnings[number].reason
            }
            return jobs
        }
    }

    private func beginning(_ outlook: Outlook) -> LedgerScope.ScopedTenant {
        var tenant = LedgerScope.ScopedTenant(id: "", cohort: 0)
        if let stage = plan.nextStage(of: outlook.steps, from: 0) {
            tenant.stage = stage
        } else if outlook.has(.unknown) {
            tenant.state = .unknown
        } else {
            tenant.state = .blocked
            tenant.reason = .after
        }
        return tenant
    }

    /// What a runner does with a job in one stage, and where the tenant has work next.
    func assignment(_ job: ClaimedJob) -> Assignment? {
        guard let place = plan.place(of: job.tenant), case let stage = plan.course.stage(of: job.stage),
            plan.stages.indices.contains(stage)
        else { return nil }
        let member = plan.member(at: place)
        let outlook = outlook(at: place)
        // A tenant that was done when this plan was made: the claim will say so.
        let steps = outlook?.steps ?? plan.steps(for: member, recorded: [:])
        let here = steps.filter { plan.stage(of: $0.runbook) == stage }
        let next = plan.nextStage(of: steps, from: stage + 1)
        let wave = plan.course.wave(of: job.stage)
        var assignment = Assignment(
            job: job, member: member, steps: here, nextStage: next.map { plan.course.place(stage: $0, wave: wave) })
        assignment.proven = outlook?.proven ?? []
        // While the run is open nothing is sealed: what is true of the set since its jobs were made stays so.
        if let outlook, job.set == outlook.set { assignment.sealed = outlook.sealed }
        return assignment
    }
}
