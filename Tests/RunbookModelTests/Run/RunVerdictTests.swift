import RunbookModel
import Testing

struct RunVerdictTests {
    /// Testing has a type of this name, too.
    typealias ExitStatus = RunbookModel.ExitStatus

    struct Case: Sendable {
        var states: [JobState: Int]
        /// How many of the blocked jobs a lock blocked.
        var locked: Int
        var drifted: Int
        var signal: Int32?
        var outcome: RunOutcome
        var exit: ExitStatus
        var isRetryable: Bool

        init(
            _ states: [JobState: Int], locked: Int = 0, drifted: Int = 0, signal: Int32? = nil, _ outcome: RunOutcome,
            _ exit: ExitStatus, isRetryable: Bool = false
        ) {
            self.states = states
            self.locked = locked
            self.drifted = drifted
            self.signal = signal
            self.outcome = outcome
            self.exit = exit
            self.isRetryable = isRetryable
        }
    }

    private func counts(_ states: [JobState: Int]) -> JobCounts {
        var counts = JobCounts()
        for (state, count) in states { counts.add(state, count) }
        return counts
    }

    @Test(
        "exit statuses are those of the contract",
        arguments: [
            Case([:], .succeeded, .done),
            Case([.succeeded: 3], .succeeded, .done),
            Case([.skipped: 3], .succeeded, .done),
            Case([.succeeded: 999, .failed: 1], .partiallySucceeded, .partial),
            Case([.skipped: 1, .failed: 1], .partiallySucceeded, .partial),
            Case([.failed: 3], .failed, .failed),
            Case([.failed: 1, .blocked: 2], .failed, .failed),
            Case([.blocked: 2], .blocked, .failed),
            Case([.succeeded: 1, .blocked: 2], .partiallySucceeded, .partial),
            // Locks.
            Case([.blocked: 2], locked: 2, .blocked, .tryAgain, isRetryable: true),
            Case([.succeeded: 1, .blocked: 2], locked: 2, .partiallySucceeded, .tryAgain, isRetryable: true),
            Case([.succeeded: 1, .blocked: 2], locked: 1, .partiallySucceeded, .tryAgain, isRetryable: true),
            Case(
                [.succeeded: 1, .failed: 1, .blocked: 1], locked: 1, .partiallySucceeded, .partial, isRetryable: true),
            Case([.failed: 1, .blocked: 1], locked: 1, .failed, .partial, isRetryable: true),
            Case([.unknown: 1, .blocked: 1], locked: 1, .failed, .undecided, isRetryable: true),
            // Stopped by a rule.
            Case([.failed: 2, .cancelled: 5], .failed, .failed),
            Case([.succeeded: 1, .failed: 2, .cancelled: 5], .partiallySucceeded, .partial),
            Case([.cancelled: 5], .cancelled, .failed),
            Case([.cancelled: 5, .blocked: 1], locked: 1, .cancelled, .failed, isRetryable: true),
            // A person must decide, or it is refused.
            Case([.succeeded: 9, .unknown: 1], .partiallySucceeded, .undecided),
            Case([.unknown: 1], .failed, .undecided),
            Case([.unknown: 1, .failed: 1], drifted: 1, .failed, .refused),
            Case([.succeeded: 9, .failed: 1], drifted: 1, .partiallySucceeded, .refused),
            Case([.failed: 1, .blocked: 1], locked: 1, drifted: 1, .failed, .refused, isRetryable: true),
            // Interrupted: what is open stays open.
            Case([.succeeded: 1, .queued: 4], signal: 2, .partiallySucceeded, .interrupted, isRetryable: true),
            Case([.queued: 4], signal: 15, .cancelled, .terminated, isRetryable: true),
            Case([.failed: 1, .queued: 4], drifted: 1, signal: 15, .failed, .terminated, isRetryable: true),
            Case([.unknown: 1, .running: 1], signal: 2, .failed, .interrupted, isRetryable: true),
            // Open jobs are never done.
            Case([.succeeded: 1, .running: 1], .partiallySucceeded, .partial),
        ])
    func table(row: Case) {
        let verdict = RunVerdict.of(
            counts(row.states), lockBlocked: row.locked, drifted: row.drifted, signal: row.signal)
        #expect(verdict.outcome == row.outcome)
        #expect(verdict.exit == row.exit)
        #expect(verdict.isRetryable == row.isRetryable)
    }

    @Test("over every mix of jobs, exit 0 means all done, and the smallest precedence wins")
    func everyMix() {
        for bits in 0..<(1 << 8) {
            let states = JobState.allCases.enumerated().filter { bits & (1 << $0.offset) != 0 }.map(\.element)
            let counts = counts(Dictionary(uniqueKeysWithValues: states.map { ($0, 2) }))
            for locked in Set([0, counts.blocked / 2, counts.blocked]) {
                for drifted in Set([0, counts.failed]) {
                    for signal in [nil, 2, 15] as [Int32?] {
                        let verdict = RunVerdict.of(counts, lockBlocked: locked, drifted: drifted, signal: signal)
                        let allDone = states.allSatisfy { $0 == .succeeded || $0 == .skipped }
                        #expect((verdict.outcome == .succeeded) == allDone)
                        #expect((verdict.exit == .done) == (allDone && signal == nil))
                        let done = counts.succeeded + counts.skipped
                        #expect((verdict.outcome == .partiallySucceeded) == (done > 0 && !allDone))
                        #expect(verdict.exit == expectedExit(counts, locked, drifted, signal, allDone: allDone))
                    }
                }
            }
        }
    }

    private func expectedExit(
        _ counts: JobCounts, _ locked: Int, _ drifted: Int, _ signal: Int32?, allDone: Bool
    ) -> ExitStatus {
        if signal == 2 { return .interrupted }
        if signal == 15 { return .terminated }
        if drifted > 0 { return .refused }
        if counts.unknown > 0 { return .undecided }
        if allDone { return .done }
        if locked > 0 {
            if counts.failed > 0 { return .partial }
            if counts.cancelled == 0 { return .tryAgain }
        }
        return counts.succeeded + counts.skipped > 0 ? .partial : .failed
    }

    @Test("merging exit statuses is the order of the contract, whichever comes first")
    func order() {
        let order: [ExitStatus] = [
            .usage, .interrupted, .refused, .undecided, .tryAgain, .partial, .failed, .pending, .done,
        ]
        for (i, left) in order.enumerated() {
            for (j, right) in order.enumerated() {
                #expect(left.merged(with: right) == order[min(i, j)])
            }
        }
        #expect(ExitStatus.terminated.merged(with: .refused) == .terminated)
    }
}
