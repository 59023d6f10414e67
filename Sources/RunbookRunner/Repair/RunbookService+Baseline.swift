import DatabaseAccess
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// Declares identities done without running them, each tenant under its lock; makes the ledger where there is none.
    ///
    /// Refused as a whole, with nothing touched, while the end of any of that work was not seen.
    package func baseline(_ manifest: Manifest, _ request: BaselineRequest) async -> BaselineReport {
        let mask = Self.mask(manifest)
        return await withDesk(manifest) { desk, application async throws(ServiceError) in
            _ = try await desk.openForReading(mayPrepare: true)
            let (fleet, notices) = try await planned(manifest, request.selection, nil, desk)
            try refuseUndecided(fleet)
            await desk.close()
            var answer: (counts: [Identity: Int], refusals: [BaselineReport.Refusal]) = ([:], [])
            if fleet.unsettledCount > 0 {
                try await desk.openForWriting(applicationName: application)
                answer = try await desk.baseline(fleet, request, application: application)
            }
            for index in answer.refusals.indices {
                answer.refusals[index].detail = mask.text(answer.refusals[index].detail)
            }
            let exit = answer.refusals.reduce(ExitStatus.done) { exit, refusal in
                switch refusal.reason {
                case .undecided: exit.merged(with: .undecided)
                case .foreignReceipt: exit.merged(with: .refused)
                case .busy: exit.merged(with: .tryAgain)
                }
            }
            let undone = fleet.counts { $0 != .done && $0 != .notApplicable }
            let drifted = fleet.counts { $0 == .drifted }
            // Who names tenants says nothing of what runs once for all of them.
            let asked = fleet.plan.runbooks.filter { $0.scope == .tenant || !request.selection.narrowsTenants }
            let runbooks = asked.map { runbook in
                BaselineReport.RunbookCount(
                    id: runbook.id, key: runbook.key, baselined: answer.counts[runbook.identity] ?? 0,
                    done: fleet.countApplying(runbook) - (undone[runbook.identity] ?? 0)
                        + (drifted[runbook.identity] ?? 0))
            }
            return BaselineReport(
                ok: exit == .done, exitCode: Int(exit.rawValue), workspace: manifest.workspace,
                tenants: fleet.plan.tenants.count, runbooks: runbooks, refusals: answer.refusals, notices: notices)
        } failed: { error in
            BaselineReport(
                ok: false, exitCode: Int(error.exitStatus.rawValue), workspace: manifest.workspace,
                error: ReportError(code: error.code.rawValue, message: mask.text(error.message)))
        }
    }
}
