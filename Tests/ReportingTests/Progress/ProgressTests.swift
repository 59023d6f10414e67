import Reporting
import RunbookModel
import Testing

@Suite struct ProgressTests {
    /// A run of `tenants`, of which one ends every 10 ms; every 100th fails.
    private func progress(_ ended: Int, of tenants: Int) -> (Progress, Duration) {
        var progress = Progress()
        progress.apply(.runStarted(run: "1", joined: false, tenants: tenants, runbooks: 3), at: .zero)
        var time = Duration.zero
        for index in 0..<ended {
            progress.apply(.tenantStarted(tenant: "t\(index)"), at: time)
            time += .milliseconds(10)
            let state: JobState = index % 100 == 99 ? .failed : .succeeded
            progress.apply(.tenantFinished(tenant: "t\(index)", state: state, durationMS: 10), at: time)
        }
        return (progress, time)
    }

    /// Guarantee: the plain line has the counts, what went wrong, the rate and the time left.
    @Test func lineSaysItAll() {
        let (progress, time) = progress(412, of: 1000)
        #expect(progress.line(at: time) == "412/1000 tenants, 4 failed, 100/s, 6 s left")
    }

    /// Guarantee: before anything ended there is no rate to be wrong about, and at the end no time left.
    @Test func lineIsHonestAtTheEdges() {
        #expect(progress(0, of: 1000).0.line(at: .seconds(3)) == "0/1000 tenants")
        let (done, time) = progress(50, of: 50)
        #expect(done.line(at: time) == "50/50 tenants, 100/s")
        #expect(progress(0, of: 1).0.line(at: .zero) == "0/1 tenant")
    }

    /// Guarantee: the rate is that of the last seconds: after a slow start it recovers, and a standstill lowers it.
    @Test func rateFollows() throws {
        var (progress, time) = progress(10, of: 10_000)
        time += .seconds(100)
        #expect(try #require(progress.rate(at: time)) < 0.2)
        for index in 10..<3010 {
            time += .milliseconds(10)
            progress.apply(.tenantFinished(tenant: "t\(index)", state: .succeeded, durationMS: 10), at: time)
        }
        #expect(try #require(progress.rate(at: time)) > 90)
    }

    /// Guarantee: a tenant is under way from its start to its end, once, and a waiting one says so.
    @Test func flightsAreThoseUnderWay() {
        var progress = Progress()
        progress.apply(.runStarted(run: "1", joined: false, tenants: 3, runbooks: 1), at: .zero)
        progress.apply(.tenantStarted(tenant: "a"), at: .zero)
        progress.apply(.tenantStarted(tenant: "a"), at: .seconds(1))
        progress.apply(.tenantStarted(tenant: nil), at: .zero)
        progress.apply(.waitingLock(tenant: "a", holder: nil), at: .seconds(1))
        #expect(progress.flights.map(\.tenant) == ["a", "(workspace)"])
        #expect(progress.flights[0].isWaiting)
        progress.apply(.tenantFinished(tenant: "a", state: .queued, durationMS: 0), at: .seconds(2))
        #expect(progress.flights.map(\.tenant) == ["(workspace)"])
        #expect(progress.counts.processed == 0)
    }
}
