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

    private static var openRun: RunRecord {
        var run = cancelledRun
        run.status = .running
        run.outcome = nil
        run.finishedAt = nil
        run.stopReason = nil
        return run
    }

    private static var identities: [LedgerContents.ListedIdentity] {
        var columns = LedgerContents.ListedIdentity(
            Identity(runbook: "columns", key: "1"), phase: "pre-deploy", scope: .tenant, isListed: true)
        (columns.succeeded, columns.baselined, columns.failed) = (190, 8, 2)
        var old = LedgerContents.ListedIdentity(Identity(runbook: "old", key: "3"))
        old.succeeded = 200
        return [columns, old]
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
                "cancel-tenants",
                CancelReport(
                    ok: true, exitCode: 0, workspace: "default", cancelled: true, jobs: 2, runners: 1,
                    tenants: [
                        .init(tenant: "acme", before: .queued), .init(tenant: "bolt", before: .queued),
                        .init(tenant: "core", before: .running), .init(tenant: "dune", before: .failed),
                        .init(tenant: "echo", before: .cancelled), .init(tenant: "flux", before: nil),
                    ], run: openRun)
            ),
            (
                "retry-nothing",
                RunAnswer(
                    Report(
                        command: "retry", ok: true, exitCode: 0, outcome: .succeeded, nothingToDo: true,
                        workspace: "default", startedAt: cancelledRun.startedAt, finishedAt: cancelledRun.startedAt,
                        durationMS: 0))
            ),
            (
                "baseline",
                BaselineReport(
                    ok: false, exitCode: 5, workspace: "default", tenants: 20,
                    runbooks: [.init(id: "columns", key: "1", baselined: 17, done: 1)],
                    refusals: [
                        .init(
                            tenant: "acme", identity: Identity(runbook: "columns", key: "1"), reason: .undecided,
                            detail: "it is unknown"),
                        .init(
                            tenant: "globex", identity: nil, reason: .busy,
                            detail: "the tenant's lock is held by somebody else"),
                    ])
            ),
            (
                "ledger-list",
                LedgerContents(ok: true, exitCode: 0, workspace: "default", tenants: 200, identities: identities)
            ),
            (
                "ledger-list-tenant",
                LedgerContents(
                    ok: true, exitCode: 0, workspace: "default", tenants: 200, identities: identities,
                    records: [
                        LedgerRecord(
                            workspace: "default", tenant: "acme", identity: Identity(runbook: "columns", key: "1"),
                            state: .succeeded, clean: nil, attempt: 2, checksum: "sha256:3", runID: "01J",
                            finishedAt: cancelledRun.finishedAt),
                        LedgerRecord(
                            workspace: "default", tenant: nil, identity: Identity(runbook: "announce", key: "1"),
                            state: .failed, clean: false, attempt: 1, checksum: "sha256:4", runID: nil,
                            finishedAt: nil),
                    ])
            ),
        ]
    }
}
