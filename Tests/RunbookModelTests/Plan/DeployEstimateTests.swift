import RunbookModel
import Testing

@Suite struct DeployEstimateTests {
    private func work(
        _ id: String, _ count: Int, mean: Int?, scope: RunbookScope = .tenant
    ) -> DeployEstimate.Work {
        DeployEstimate.Work(
            runbook: id, scope: scope, count: count,
            mean: mean.map { .milliseconds($0) })
    }

    /// Guarantee: it is tenants times their time, shared among the workers, and the workspace's own work behind it.
    @Test func workIsSharedAmongWorkers() {
        let estimate = DeployEstimate(
            [work("a", 100, mean: 80), work("b", 50, mean: 40), work("c", 1, mean: 500, scope: .workspace)],
            slices: [.init(tenants: 100, workers: 8)])
        #expect(estimate.durationMS == (100 * 80 + 50 * 40) / 8 + 500)
        #expect(estimate.workers == 8)
        #expect(estimate.withoutFigure.isEmpty)
    }

    /// Guarantee: nobody works on more tenants than there are.
    @Test func fewTenantsAreWorkedOnByFew() {
        let estimate = DeployEstimate([work("a", 2, mean: 100)], slices: [.init(tenants: 2, workers: 8)])
        #expect(estimate.durationMS == 100)
        #expect(estimate.workers == 2)
    }

    /// Guarantee: each wave has its share, its workers and the pause behind it; the last has none behind it.
    @Test func wavesComeOneAfterTheOther() {
        let estimate = DeployEstimate(
            [work("a", 10, mean: 100)],
            slices: [
                .init(tenants: 2, workers: 1, pause: .seconds(5)), .init(tenants: 0, workers: 4, pause: .seconds(60)),
                .init(tenants: 8, workers: 4, pause: .seconds(60)),
            ])
        #expect(estimate.durationMS == 200 + 5000 + 200)
    }

    /// Guarantee: what never ran is named, and is no zero.
    @Test func whatNeverRanHasNoFigure() {
        let some = DeployEstimate(
            [work("a", 10, mean: 10), work("new", 10, mean: nil)], slices: [.init(tenants: 10, workers: 1)])
        #expect(some.durationMS == 100)
        #expect(some.withoutFigure == ["new"])
        let none = DeployEstimate([work("new", 10, mean: nil)], slices: [.init(tenants: 10, workers: 1)])
        #expect(none.durationMS == nil)
    }

    /// Guarantee: what a tenant takes besides its runbooks counts in each, and not twice where it has several.
    @Test func tenantsTakeTimeBesideTheirRunbooks() {
        let estimate = DeployEstimate(
            [work("a", 100, mean: 8), work("b", 100, mean: 4), work("c", 1, mean: 500, scope: .workspace)],
            slices: [.init(tenants: 20, workers: 1), .init(tenants: 80, workers: 4)], beside: .milliseconds(3))
        #expect(estimate.durationMS == 20 * 15 + 80 * 15 / 4 + 500)
    }

    /// Guarantee: many tenants that take less than a millisecond each take time.
    @Test func smallTimesAddUp() {
        let work = DeployEstimate.Work(runbook: "a", scope: .tenant, count: 10_000, mean: .microseconds(300))
        #expect(DeployEstimate([work], slices: [.init(tenants: 10_000, workers: 1)]).durationMS == 3000)
    }
}
