import RunbookModel
import Testing

struct TenantExpectationTests {
    private enum Kind { case accepted, notice, refused }

    private func kind(_ verdict: TenantCountVerdict) -> Kind {
        switch verdict {
        case .accepted: .accepted
        case .notice: .notice
        case .refused: .refused
        }
    }

    @Test("no tenants is a notice while the ledger has never seen one, and refused afterwards")
    func zeroTenants() {
        let expectation = TenantExpectation()
        #expect(kind(expectation.verdict(count: 0, lastSeen: nil, expected: nil)) == .notice)
        #expect(kind(expectation.verdict(count: 0, lastSeen: 3, expected: nil)) == .refused)
        #expect(kind(expectation.verdict(count: 0, lastSeen: 0, expected: nil)) == .refused)
        #expect(kind(expectation.verdict(count: 0, lastSeen: 3, expected: 0)) == .accepted)
        #expect(kind(expectation.verdict(count: 0, lastSeen: nil, expected: 0)) == .accepted)
    }

    @Test("a minimum holds from the first day on")
    func minimum() {
        let expectation = TenantExpectation(min: 2)
        #expect(kind(expectation.verdict(count: 0, lastSeen: nil, expected: nil)) == .refused)
        #expect(kind(expectation.verdict(count: 1, lastSeen: nil, expected: nil)) == .refused)
        #expect(kind(expectation.verdict(count: 2, lastSeen: nil, expected: nil)) == .accepted)
        #expect(kind(expectation.verdict(count: 1, lastSeen: 1, expected: 1)) == .accepted)
    }

    @Test(
        "a set may shrink by the allowance, rounded down, and grow without limit",
        arguments: [
            (.share(0.1), 100, 90, true), (.share(0.1), 100, 89, false), (.share(0.1), 9, 8, false),
            (.share(0.1), 9, 9, true), (.count(2), 10, 8, true), (.count(2), 10, 7, false), (.count(0), 10, 9, false),
            (.count(0), 10, 10, true), (.share(0.1), 10, 100_000, true), (nil, 100, 1, true), (.share(1), 5, 1, true),
        ] as [(Allowance?, Int, Int, Bool)])
    func shrinking(allowance: Allowance?, lastSeen: Int, count: Int, isAccepted: Bool) {
        let expectation = TenantExpectation(shrink: allowance)
        let verdict = expectation.verdict(count: count, lastSeen: lastSeen, expected: nil)
        #expect(kind(verdict) == (isAccepted ? .accepted : .refused))
        #expect(kind(expectation.verdict(count: count, lastSeen: nil, expected: nil)) == .accepted)
        #expect(kind(expectation.verdict(count: count, lastSeen: lastSeen, expected: count)) == .accepted)
    }

    @Test("an expected number is exact, and the refusal says both numbers and the way out")
    func expectedNumber() {
        for count in [0, 1, 4, 6] {
            guard case .refused(let message) = TenantExpectation().verdict(count: count, lastSeen: 5, expected: 5)
            else {
                Issue.record("\(count) was not refused")
                continue
            }
            #expect(message.contains("--expect-tenants says 5"))
        }
        guard case .refused(let message) = TenantExpectation(min: 9).verdict(count: 7, lastSeen: nil, expected: nil)
        else {
            Issue.record("not refused")
            return
        }
        #expect(message.contains("--expect-tenants 7"))
    }
}
