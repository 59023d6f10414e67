import Foundation
import RunbookModel
import Testing

/// What hooks around a run make of its report.
struct ReportHooksTests {
    private func report(_ exit: RunbookModel.ExitStatus, _ outcome: RunOutcome = .succeeded) -> Report {
        var report = Report(
            command: "apply", ok: exit == .done, exitCode: Int(exit.rawValue), outcome: outcome, startedAt: Date(),
            finishedAt: Date(), durationMS: 1)
        report.run = Report.RunFacts(
            id: "run", identity: "i", release: nil, joined: false, initiator: Initiator(kind: "user", name: "u"))
        return report
    }

    /// Guarantee: a hook behind the work that did not end well makes 0 a 3, and changes nothing else, whatever it is.
    @Test(arguments: RunHook.allCases, HookState.allCases) func hooksBehindTheWork(_ hook: RunHook, _ state: HookState)
    {
        for exit in RunbookModel.ExitStatus.allCases {
            let given = report(exit, .partiallySucceeded)
            let hooks = [HookReport(hook: hook, tenant: "a", state: state, exitCode: 9, runID: "another")]
            let taken = given.taking(hooks)
            let isChanged = exit == .done && state != .succeeded
            #expect(taken.exitCode == (isChanged ? 3 : given.exitCode))
            #expect(taken.ok == (isChanged ? false : given.ok))
            #expect(taken.outcome == given.outcome)
            #expect(taken.hooks == hooks)
        }
    }

    /// Guarantee: a `before_run` that failed makes it 1, or 75 when it said so, but for a signal.
    @Test(arguments: RunbookModel.ExitStatus.allCases) func beforeTheRun(_ exit: RunbookModel.ExitStatus) {
        for code in [1, 75, nil] {
            let hook = HookReport(hook: .beforeRun, state: .failed, exitCode: code, runID: "run")
            let taken = report(exit, .cancelled).taking([hook])
            if exit == .interrupted || exit == .terminated {
                #expect(taken.exitCode == Int(exit.rawValue))
            } else {
                #expect(taken.exitCode == (code == 75 ? 75 : 1))
                #expect(taken.outcome == .failed)
                #expect(taken.retryable == (code == 75))
            }
        }
    }

    @Test func withoutHooksNothingChanges() {
        for exit in RunbookModel.ExitStatus.allCases {
            let taken = report(exit).taking([])
            #expect(taken.exitCode == Int(exit.rawValue) && taken.hooks.isEmpty)
        }
    }
}
