import RunbookModel

extension PlannedFleet {
    /// Tenants in which each runbook would run; 1 for the workspace's own.
    var pending: [Identity: Int] {
        var pending: [Identity: Int] = [:]
        for outlook in outlooks {
            for step in outlook.steps where step.decision == .run {
                pending[step.runbook.identity, default: 0] += outlook.count
            }
        }
        return pending
    }

    /// How long the whole of it would take, wave by wave.
    ///
    /// - Parameters:
    ///   - concurrency: what the caller asked for instead of the manifest's.
    ///   - pending: in how many tenants each runbook would run.
    ///   - means: how long each takes in a tenant, where that is known.
    ///   - beside: what a tenant takes besides.
    func estimate(
        _ concurrency: Int?, pending: [Identity: Int], means: [Identity: Duration], beside: Duration = .zero
    ) -> DeployEstimate {
        let work = plan.runbooks.compactMap { runbook -> DeployEstimate.Work? in
            guard let count = pending[runbook.identity], count > 0 else { return nil }
            return DeployEstimate.Work(
                runbook: runbook.id, scope: runbook.scope, count: count, mean: means[runbook.identity])
        }
        // Tenants with something to run, by wave.
        var working = Array(repeating: 0, count: plan.waveSizes.count)
        let runs = outlooks.map { !$0.isOfWorkspace && $0.has(.run) }
        for (place, outlook) in unsettled where runs[outlook] { working[plan.wave(at: place)] += 1 }
        let workers = plan.ceilings(concurrency, on: .present)
        let slices = working.indices.map { wave in
            DeployEstimate.Slice(
                tenants: working[wave], workers: workers[wave],
                pause: plan.waves.indices.contains(wave) ? plan.waves[wave].pause : .zero)
        }
        return DeployEstimate(work, slices: slices, beside: beside)
    }
}
