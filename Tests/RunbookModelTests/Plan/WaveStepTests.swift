import RunbookModel
import Testing

@Suite struct WaveStepTests {
    private func end(
        tenants: Int = 10, undone: Int = 0, failed: Int = 0, waiting: Int = 5, since: Duration? = .seconds(5)
    ) -> WaveEnd {
        var tally = FailureTally()
        tally.add("same", failed)
        return WaveEnd(tenants: tenants, undone: max(undone, failed), tally: tally, waiting: waiting, since: since)
    }

    private let none = StopRule(tenants: 10, limits: StopLimits())
    private let gated = Wave(
        name: "canary", limit: 1, gate: .exec(HookCommand(arguments: ["true"], timeout: .seconds(1))))

    /// Guarantee: a rule is looked at again when the wave is over, and comes before pause and gate.
    @Test func rulesComeFirst() {
        for failed in 0...9 {
            for limit in 0...9 {
                let rule = StopRule(wave: "canary", tenants: 10, limits: StopLimits(maxFailures: .count(limit)))
                let step = WaveStep.of(end(failed: failed), rule, gated)
                if failed > limit {
                    guard case .stop(let reason) = step else {
                        Issue.record("\(failed) of \(limit): \(step)")
                        continue
                    }
                    #expect(reason.hasPrefix("max_failures \(limit): "))
                } else {
                    #expect(step == .ask)
                }
            }
        }
    }

    /// Guarantee: a wave in which nothing got done is no reason to go on; one with no tenant in scope is none to stop.
    @Test func waveThatProvedNothingStops() {
        for undone in 0...10 {
            let step = WaveStep.of(end(undone: undone), none, Wave(name: "canary", limit: 1))
            #expect((step == .goOn) == (undone < 10), "\(undone)")
        }
        #expect(WaveStep.of(end(tenants: 0), none, Wave(name: "canary", limit: 1)) == .goOn)
    }

    /// Guarantee: the pause is waited for, then the gate is asked, also when the wave was done in an earlier run.
    @Test func pauseThenGate() {
        var wave = gated
        wave.pause = .seconds(60)
        #expect(WaveStep.of(end(since: .seconds(5)), none, wave) == .wait(.seconds(55)))
        #expect(WaveStep.of(end(since: .seconds(60)), none, wave) == .ask)
        #expect(WaveStep.of(end(since: nil), none, wave) == .ask)
        wave.gate = nil
        #expect(WaveStep.of(end(since: nil), none, wave) == .goOn)
    }

    /// Guarantee: where nothing waits for the wave, nothing is asked and nothing stops.
    @Test func nothingBehindIsNoWave() {
        let rule = StopRule(tenants: 10, limits: StopLimits(maxFailures: .count(0)))
        #expect(WaveStep.of(end(failed: 9, waiting: 0), rule, gated) == .goOn)
        #expect(WaveStep.of(end(failed: 9), rule, nil) == .goOn)
    }
}
