package import RunbookModel

/// How far a run has come, as its events tell.
package struct Progress: Sendable {
    /// A tenant that is being worked on.
    package struct Flight: Sendable {
        package var tenant: String
        package var since: Duration
        /// The runbook that ended last.
        package var latest: String?
        package var isWaiting = false
        /// How far the backfill under way has come.
        package var batch: BatchProgress?
    }

    package private(set) var tenants = 0
    package private(set) var counts = JobCounts()
    /// In the order in which they were started.
    package private(set) var flights: [Flight] = []
    /// The first tenants that failed.
    package private(set) var failedTenants: [String] = []
    package private(set) var hasStarted = false

    /// How many had ended when, newest last, over the window that the rate is taken from.
    private var samples: [(at: Duration, processed: Int)] = []
    private static let window = Duration.seconds(10)
    private static let sampleGap = Duration.milliseconds(200)

    package init() {}

    package mutating func apply(_ event: RunEvent, at time: Duration) {
        switch event {
        case .runStarted(_, _, let tenants, _):
            hasStarted = true
            self.tenants = tenants
            samples = [(time, 0)]
        case .tenantStarted(let tenant):
            let name = Self.name(tenant)
            if let index = flights.firstIndex(where: { $0.tenant == name }) {
                flights[index].isWaiting = false
            } else {
                flights.append(Flight(tenant: name, since: time))
            }
        case .executionFinished(let tenant, let identity, _, _, _, _):
            update(tenant) {
                $0.latest = identity.description
                $0.batch = nil
            }
        case .batch(let tenant, _, let progress):
            update(tenant) { $0.batch = progress }
        case .waitingLock(let tenant, _):
            update(tenant) { $0.isWaiting = true }
        case .tenantFinished(let tenant, let state, _):
            finish(tenant, state, at: time)
        case .message, .summary: break
        }
    }

    /// Tenants ended per second, over the last seconds; nil until something ended.
    package func rate(at time: Duration) -> Double? {
        guard let first = samples.first, counts.processed > first.processed else { return nil }
        let seconds = (time - first.at) / .seconds(1)
        return seconds > 0 ? Double(counts.processed - first.processed) / seconds : nil
    }

    /// How long the rest takes at the present rate.
    package func secondsLeft(at time: Duration) -> Int? {
        guard let rate = rate(at: time), rate > 0, tenants > counts.processed else { return nil }
        return Int((Double(tenants - counts.processed) / rate).rounded(.up))
    }

    private mutating func finish(_ tenant: String?, _ state: JobState, at time: Duration) {
        let name = Self.name(tenant)
        flights.removeAll { $0.tenant == name }
        guard !state.isOpen else { return }
        // The workspace's own job is no tenant's.
        if tenant != nil { counts.add(state) }
        if [.failed, .unknown].contains(state), failedTenants.count < 100 { failedTenants.append(name) }
        if let last = samples.last, time - last.at < Self.sampleGap { return }
        samples.append((time, counts.processed))
        while samples.count > 2, time - samples[1].at > Self.window { samples.removeFirst() }
    }

    private mutating func update(_ tenant: String?, _ change: (inout Flight) -> Void) {
        let name = Self.name(tenant)
        if let index = flights.firstIndex(where: { $0.tenant == name }) { change(&flights[index]) }
    }

    private static func name(_ tenant: String?) -> String { tenant ?? "(workspace)" }
}
