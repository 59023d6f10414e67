import RunbookModel
import Testing

@Suite struct StopRuleTests {
    private func tally(_ counts: [String: Int], unlike: Int = 0) -> FailureTally {
        var tally = FailureTally()
        for (cause, count) in counts { tally.add(cause, count) }
        if unlike > 0 { tally.add(nil, unlike) }
        return tally
    }

    private func rule(_ failures: Allowance? = nil, _ same: Int? = nil, of tenants: Int = 200) -> StopRule {
        StopRule(tenants: tenants, limits: StopLimits(maxFailures: failures, sameError: same))
    }

    /// Guarantee: a run stops when failures exceed the limit, and not when they reach it.
    @Test(arguments: [0, 1, 2, 5, 200]) func moreThanTheLimitStops(_ limit: Int) {
        for failed in 0...210 {
            let reason = rule(.count(limit)).stopReason(tally([:], unlike: failed))
            #expect((reason != nil) == (failed > limit), "\(failed) of \(limit)")
        }
    }

    /// Guarantee: a share is of the wave's tenants, rounded down.
    @Test func shareIsRoundedDown() {
        for percent in 0...100 {
            for tenants in [0, 1, 3, 49, 50, 99, 100, 101, 1000] {
                let rule = rule(.share(Double(percent) / 100), of: tenants)
                let allowed = percent * tenants / 100
                #expect(rule.stopReason(tally([:], unlike: allowed)) == nil, "\(percent)% of \(tenants)")
                #expect(rule.stopReason(tally([:], unlike: allowed + 1)) != nil, "\(percent)% of \(tenants)")
            }
        }
    }

    /// Guarantee: so many failures that are alike stop a run; as many that differ do not.
    @Test(arguments: [1, 2, 20]) func failuresAlikeStop(_ limit: Int) {
        for count in 0...25 {
            #expect((rule(nil, limit).stopReason(tally(["a": count, "b": 1])) != nil) == (max(count, 1) >= limit))
        }
        #expect(rule(nil, limit).stopReason(tally([:], unlike: 1000)) == nil)
    }

    /// Guarantee: without a limit nothing stops a run.
    @Test func noLimitNeverStops() {
        #expect(rule().stopReason(tally(["a": 1000], unlike: 1000)) == nil)
        #expect(rule().headroom(tally(["a": 1000])) == nil)
        #expect(!rule().isInForce)
        #expect(!rule().isUrgent(untold: 1000, since: tally([:]), runners: 9))
    }

    /// Guarantee: as many failures more as the headroom says stop the run, if they are alike; fewer never do.
    @Test func headroomIsTheNextStop() throws {
        for limit in [0, 1, 7] {
            for same in [1, 3, 20] {
                for counts in [[:], ["a": 1], ["a": 2, "b": 1]] as [[String: Int]] {
                    let rule = rule(.count(limit), same)
                    guard rule.stopReason(tally(counts)) == nil else { continue }
                    let headroom = try #require(rule.headroom(tally(counts)))
                    for more in 0...25 {
                        let next = tally(counts.merging(["a": more], uniquingKeysWith: +))
                        #expect((rule.stopReason(next) != nil) == (more >= headroom))
                    }
                }
            }
        }
    }

    /// Guarantee: runners that keep failures to themselves cannot pass the limit together, each telling in time.
    @Test func urgencyHoldsForAllRunnersTogether() {
        for runners in 1...5 {
            for same in 1...40 {
                let rule = rule(nil, same)
                for told in 0..<same {
                    let quiet = (0...same).last {
                        !rule.isUrgent(untold: $0, since: tally(["a": told]), runners: runners)
                    }
                    #expect((quiet ?? 0) * runners < same - told)
                }
            }
        }
    }

    /// Guarantee: the reason names the rule, the wave and the numbers.
    @Test func reasonIsInWords() {
        var rule = rule(.share(0.02), 20)
        #expect(rule.stopReason(tally([:], unlike: 5)) == "max_failures 2%: 5 tenants failed, and 4 may")
        #expect(
            rule.stopReason(tally(["a": 20])) { $0 == "a" ? "division by zero" : nil }
                == "same_error 20: 20 tenants failed alike: division by zero")
        rule.wave = "canary"
        rule.limits = StopLimits(maxFailures: .count(0))
        #expect(rule.stopReason(tally(["a": 1])) == "max_failures 0: 1 tenant of wave canary failed, and none may")
    }
}
