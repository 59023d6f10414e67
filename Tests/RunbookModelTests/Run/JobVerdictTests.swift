import RunbookModel
import Testing

struct JobVerdictTests {
    private func outcome(_ state: ExecutionState, wasDone: Bool = false, hasDrifted: Bool = false) -> ExecutionOutcome {
        ExecutionOutcome(
            identity: Identity(runbook: "r", key: "1"), checksum: "c", state: state, wasDone: wasDone,
            hasDrifted: hasDrifted)
    }

    /// Every kind of end that an execution can have.
    private var ends: [ExecutionOutcome] {
        [
            outcome(.succeeded), outcome(.succeeded, wasDone: true), outcome(.baselined, wasDone: true),
            outcome(.failed), outcome(.failed, hasDrifted: true), outcome(.succeeded, wasDone: true, hasDrifted: true),
            outcome(.unknown), outcome(.running), outcome(.rolledBack),
        ]
    }

    @Test("the worst execution decides: unknown, failed, blocked, then work or none")
    func worstDecides() {
        for first in ends {
            for second in ends {
                for third in ends {
                    for isBlocked in [false, true] {
                        let executions = [first, second, third]
                        let verdict = JobVerdict.of(executions, isBlocked: isBlocked)
                        switch executions.map({ rank($0) }).max() ?? 0 {
                        case 3: #expect(verdict == JobVerdict(state: .unknown))
                        case 2: #expect(verdict == JobVerdict(state: .failed))
                        case _ where isBlocked: #expect(verdict == JobVerdict(state: .blocked, reason: .after))
                        case 1: #expect(verdict == JobVerdict(state: .succeeded))
                        default: #expect(verdict == JobVerdict(state: .skipped))
                        }
                    }
                }
            }
        }
    }

    private func rank(_ outcome: ExecutionOutcome) -> Int {
        switch outcome.state {
        case .unknown, .running: 3
        case .failed: 2
        case .succeeded, .baselined, .rolledBack: outcome.hasDrifted ? 2 : outcome.wasDone ? 0 : 1
        }
    }

    @Test("a job without executions was skipped, or is blocked")
    func noExecutions() {
        #expect(JobVerdict.of([], isBlocked: false) == JobVerdict(state: .skipped))
        #expect(JobVerdict.of([], isBlocked: true) == JobVerdict(state: .blocked, reason: .after))
    }
}
