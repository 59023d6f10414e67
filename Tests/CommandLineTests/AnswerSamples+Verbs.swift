import Foundation
import Reporting
import RunbookModel

/// Answers of the verbs that operators call.
extension AnswerSamples {
    private static var cancelledRun: RunRecord {
        var counts = JobCounts()
        counts.add(.succeeded, 7)
        counts.add(.cancelled, 13)
        return RunRecord(
            id: "01J", identity: "sha256:1", workspace: "default", phase: nil, status: .completed, outcome: .cancelled,
            counts: counts, release: "v42", revision: nil, manifestDigest: "sha256:2", door: "cli",
            initiator: Initiator(kind: "user", name: "octo"), startedAt: Date(timeIntervalSince1970: 1_767_225_600),
            finishedAt: Date(timeIntervalSince1970: 1_767_225_700), stopReason: "cancelled by octo: the wrong release")
    }

    static var verbs: [(name: String, answer: any TextAnswer)] {
        [
            (
                "cancel",
                CancelReport(
                    ok: true, exitCode: 0, workspace: "default", cancelled: true, jobs: 13, runners: 2,
                    run: cancelledRun)
            ),
            (
                "cancel-ended",
                CancelReport(ok: true, exitCode: 0, workspace: "default", cancelled: false, run: cancelledRun)
            ),
            (
                "retry-nothing",
                RunAnswer(
                    Report(
                        command: "retry", ok: true, exitCode: 0, outcome: .succeeded, nothingToDo: true,
                        workspace: "default", startedAt: cancelledRun.startedAt, finishedAt: cancelledRun.startedAt,
                        durationMS: 0))
            ),
        ]
    }
}
