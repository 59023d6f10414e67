import RunbookModel
import Testing

@Suite struct WaveChoiceTests {
    private func tenants(_ count: Int, internal few: Int = 0) -> [Tenant] {
        (0..<count).map { Tenant(id: "t\($0)", labels: ["plan": $0 < few ? "internal" : "pro"]) }
    }

    private func rollout(_ waves: Wave...) -> [Wave] { Rollout(waves: waves).course }

    private func names(_ waves: [Wave], _ tenants: [Tenant], workspace: String = "default") -> [String: String] {
        let numbers = WaveChoice(waves, workspace: workspace, tenants: tenants).numbers
        return Dictionary(uniqueKeysWithValues: zip(tenants, numbers).map { ($0.id, waves[Int($1)].name) })
    }

    private let usual = [
        Wave(name: "canary", match: ["plan": ["internal"]]), Wave(name: "early", share: .share(0.1)),
        Wave(name: "everyone"),
    ]

    /// Guarantee: a tenant belongs to the first wave that takes it, and every tenant to one.
    @Test func firstWaveThatTakesItHasIt() {
        let tenants = tenants(200, internal: 3)
        let names = names(usual, tenants)
        #expect(names.count == 200)
        #expect(Set(names.filter { $0.value == "canary" }.keys) == ["t0", "t1", "t2"])
        #expect(names.values.count { $0 == "early" } == 20)
        #expect(names.values.count { $0 == "everyone" } == 177)
    }

    /// Guarantee: tenants that no declared wave takes are a last wave of their own; with a wave for all there is none.
    @Test func restIsAWave() {
        let waves = rollout(Wave(name: "canary", limit: 2))
        #expect(waves.map(\.name) == ["canary", "rest"])
        #expect(names(waves, tenants(10)).values.count { $0 == "rest" } == 8)
        #expect(Rollout(waves: usual).course.map(\.name) == ["canary", "early", "everyone"])
        #expect(Rollout().course.isEmpty)
        #expect(WaveChoice([], workspace: "w", tenants: tenants(5)).numbers.isEmpty)
    }

    /// Guarantee: a share is of the tenants that match, rounded up, and there as long as tenants are left.
    @Test func shareIsRoundedUp() {
        for percent in 1...100 {
            for count in [0, 1, 2, 9, 10, 11, 99, 100, 101] {
                let waves = rollout(Wave(name: "early", share: Allowance("\(percent)%")))
                let taken = names(waves, tenants(count)).values.count { $0 == "early" }
                #expect(taken == (percent * count + 99) / 100, "\(percent)% of \(count)")
            }
        }
        let halves = rollout(Wave(name: "a", share: .share(0.5)), Wave(name: "b", share: .share(0.5)))
        #expect(names(halves, tenants(10)).values.count { $0 == "b" } == 5)
        let matched = rollout(Wave(name: "a", match: ["plan": ["internal"]], limit: 7, share: .share(0.5)))
        #expect(names(matched, tenants(100, internal: 20)).values.count { $0 == "a" } == 7)
    }

    /// Guarantee: the same tenants are early every time, wherever they stand in the source.
    @Test func choiceIsStable() {
        let tenants = tenants(300, internal: 5)
        let first = names(usual, tenants)
        #expect(names(usual, tenants.reversed()) == first)
        #expect(names(usual, tenants.sorted { $0.id < $1.id }) == first)
        #expect(names(usual, tenants, workspace: "other") != first)
    }

    /// Guarantee: a new tenant changes the wave of at most one other for each wave that takes some of many.
    @Test func newTenantMovesFewOthers() {
        var tenants = tenants(100)
        var before = names(usual, tenants)
        for number in 100..<140 {
            tenants.insert(Tenant(id: "t\(number)", labels: ["plan": "pro"]), at: number % 7)
            let after = names(usual, tenants)
            #expect(before.count { after[$0.key] != $0.value } <= 1)
            before = after
        }
    }
}
