import DatabaseAccess
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// Ends an open run; no manifest is needed. What runners have under way may finish, nothing more is begun.
    package func cancel(
        _ run: String, ledger settings: LedgerSettings, workspace: String, actor: String, reason: String
    ) async -> CancelReport {
        let desk = LedgerDesk(opener: opener, ledger: settings, workspace: workspace)
        let note = AuditNote(kind: "cancel_run", actor: actor, reason: reason)
        var report = CancelReport(ok: true, exitCode: 0, workspace: workspace)
        do throws(ServiceError) {
            guard try await desk.openForReading() else {
                throw ServiceError(.unknownName, "There is no ledger, and so no run \(run).")
            }
            await desk.close()
            try await desk.openForWriting(applicationName: "muster/\(RunID.make())")
            let (cancelling, record) = try await desk.cancel(run, note: note)
            report.run = record
            report.cancelled = cancelling.wasOpen && record?.outcome == .cancelled
            report.jobs = cancelling.jobs
            report.runners = cancelling.runners
        } catch {
            report.ok = false
            report.exitCode = Int(error.exitStatus.rawValue)
            report.error = ReportError(code: error.code.rawValue, message: error.message)
        }
        await desk.close()
        return report
    }
}
