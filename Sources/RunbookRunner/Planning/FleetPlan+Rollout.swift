import RunbookModel

extension FleetPlan {
    /// When failures stop the run, by number of the wave; a run without waves is one.
    ///
    /// - Parameter maxFailures: what stands in place of the manifest's, where it is given.
    func stopRules(_ maxFailures: Allowance?) -> [StopRule] {
        var common = manifest.rollout.limits
        if let maxFailures { common.maxFailures = maxFailures }
        guard !waves.isEmpty else { return [StopRule(tenants: tenants.count, limits: common)] }
        return zip(waves, waveSizes).map { wave, size in
            StopRule(wave: wave.name, tenants: size, limits: wave.limits.over(common))
        }
    }

    /// Places of the run where one tenant is worked on at a time, and nothing else.
    var sharedPlaces: Set<Int> {
        Set(
            stages.filter(\.isShared).flatMap { stage in
                (0..<course.waves).map { course.place(stage: stage.index, wave: $0) }
            })
    }

    /// How many tenants one runner works on at once, by number of the wave.
    ///
    /// - Parameter concurrency: what stands in place of the manifest's, where it is given.
    func ceilings(_ concurrency: Int?, on machine: WorkerCount.Machine) -> [Int] {
        let common = concurrency ?? manifest.concurrency.tenants
        let wanted = waves.isEmpty ? [common] : waves.map { $0.concurrency ?? common }
        return wanted.map {
            WorkerCount.of(
                wanted: $0, perServer: manifest.concurrency.perServer, areFiles: manifest.tenants.areFiles, on: machine)
        }
    }
}
