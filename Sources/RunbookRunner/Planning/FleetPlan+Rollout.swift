import RunbookModel

extension FleetPlan {
    /// When failures stop the run, by number of the wave; a run without waves is one.
    ///
    /// - Parameter maxFailures: what stands in place of the manifest's, where it is given.
    func stopRules(_ maxFailures: Allowance?) -> [StopRule] {
        var limits = manifest.rollout.limits
        if let maxFailures { limits.maxFailures = maxFailures }
        return [StopRule(tenants: tenants.count, limits: limits)]
    }
}
