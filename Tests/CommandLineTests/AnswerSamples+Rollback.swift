import Foundation
import Reporting
import RunbookModel

/// Answers of rollback.
extension AnswerSamples {
    private static var view: RollbackView {
        var view = RollbackView(workspace: "default", digest: "sha256:2")
        view.undoes = "01J"
        (view.tenantCount, view.tenants) = (1000, 1000)
        view.runbooks = [
            .init(
                id: "announce", key: "1", scope: .workspace, kind: "exec", transaction: false, file: "hooks/withdraw",
                count: 1, unknown: 0),
            .init(
                id: "index", key: "1", scope: .tenant, kind: "sql", transaction: false, file: "sql/index.down.sql",
                count: 958, unknown: 2),
            .init(
                id: "columns", key: "1", scope: .tenant, kind: "sql", transaction: true, file: "sql/columns.down.sql",
                count: 1000, unknown: 0),
        ]
        return view
    }

    private static var refused: RollbackView {
        var view = view
        (view.ok, view.exitCode, view.runbooks) = (false, 4, [])
        view.error = ReportError(
            code: "rollback",
            message: "columns@1 stays: index, which stands after it, is done on 958 tenants and is not rolled back. "
                + "Nothing was touched. Roll back index as well, or leave those tenants out.")
        return view
    }

    private static var nothing: RollbackView {
        var view = RollbackView(workspace: "default", digest: "sha256:2")
        view.tenantCount = 1000
        view.runbooks = [
            .init(
                id: "columns", key: "1", scope: .tenant, kind: "sql", transaction: true, file: "sql/columns.down.sql",
                count: 0, unknown: 0)
        ]
        return view
    }

    private static func report(_ counts: [JobState: Int], _ exit: ExitStatus, _ outcome: RunOutcome) -> Report {
        var report = Report(
            command: "rollback", ok: exit == .done, exitCode: Int(exit.rawValue), outcome: outcome,
            workspace: "default",
            run: Report.RunFacts(
                id: "01K", identity: "sha256:1", release: nil, joined: false,
                initiator: Initiator(kind: "user", name: "octo"), kind: .rollback, undoes: "01J"),
            startedAt: Date(timeIntervalSince1970: 1_767_225_600),
            finishedAt: Date(timeIntervalSince1970: 1_767_225_612), durationMS: 12_000)
        for (state, count) in counts { report.counts.add(state, count) }
        return report
    }

    static var rollbacks: [(name: String, answer: any TextAnswer)] {
        [
            ("rollback-view", view), ("rollback-view-refused", refused), ("rollback-view-nothing", nothing),
            ("rollback-succeeded", RunAnswer(report([.succeeded: 960, .skipped: 40], .done, .succeeded))),
            (
                "rollback-partial",
                RunAnswer(report([.succeeded: 955, .failed: 5], .partial, .partiallySucceeded))
            ),
        ]
    }
}
