import DatabaseAccess
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// Ends an open run, or with a selection of tenants those in it; no manifest is needed. What runners have under way
    /// may finish, nothing more is begun.
    package func cancel(
        _ run: String, _ selection: Selection = Selection(), ledger settings: LedgerSettings, workspace: String,
        actor: String, reason: String
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
            guard !selection.narrowsTenants else {
                let (cancelling, record) = try await desk.cancel(selection, of: run, note: note)
                report.take(cancelling, naming: selection.tenants)
                report.run = record
                await desk.close()
                return report
            }
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

extension CancelReport {
    fileprivate mutating func take(_ cancelling: TenantCancelling, naming names: [String]) {
        runners = cancelling.runners
        guard cancelling.wasOpen else { return }
        let known = Set(cancelling.before.map(\.tenant))
        var absent: [Answer] = []
        for name in names where !known.contains(name) && !absent.contains(where: { $0.tenant == name }) {
            absent.append(Answer(tenant: name, before: nil))
        }
        let answers = cancelling.before.map { Answer(tenant: $0.tenant, before: $0.state) } + absent
        tenants = answers
        jobs = answers.count { $0.result == .cancelled }
        cancelled = answers.contains { $0.result == .cancelled || $0.result == .underWay }
    }
}
