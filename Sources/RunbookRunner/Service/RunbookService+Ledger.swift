import DatabaseAccess
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// Per runbook and per tenant, for the tenants that the manifest's source gives now.
    package func status(_ manifest: Manifest, _ selection: Selection) async -> StatusReport {
        await status(ledger: manifest.ledger, workspace: manifest.workspace) { desk async throws(ServiceError) in
            let (fleet, notices) = try await planned(manifest, selection, nil, desk)
            return (fleet.plan.scope(), fleet.plan.runbooks.map(StatusReport.RunbookStatus.init), notices)
        }
    }

    /// The same for the tenants and identities that the ledger saw last; no manifest is needed.
    package func status(
        ledger settings: LedgerSettings, workspace: String, _ selection: Selection
    ) async -> StatusReport {
        await status(ledger: settings, workspace: workspace) { desk async throws(ServiceError) in
            try await desk.lastSeenScope(selection)
        }
    }

    private func status(
        ledger settings: LedgerSettings, workspace: String,
        _ question: (LedgerDesk) async throws(ServiceError) -> (
            LedgerScope, [StatusReport.RunbookStatus], [String]
        )
    ) async -> StatusReport {
        let desk = LedgerDesk(opener: opener, ledger: settings, workspace: workspace)
        do throws(ServiceError) {
            let exists = try await desk.openForReading()
            let (scope, runbooks, notices) = try await question(desk)
            let report = try await desk.status(scope, runbooks, notices, ledgerExists: exists)
            await desk.close()
            return report
        } catch {
            await desk.close()
            return StatusReport(
                ok: false, exitCode: Int(error.exitStatus.rawValue), workspace: workspace,
                error: ReportError(code: error.code.rawValue, message: error.message))
        }
    }

    /// Whether identities are done. Fails closed: an unknown name, a missing ledger or an unanswered question is never 0.
    ///
    /// - Parameters:
    ///   - identities: runbook, and key unless the manifest says it.
    ///   - tenants: nil asks about every tenant of the manifest's source.
    package func check(
        _ manifest: Manifest?, ledger settings: LedgerSettings, workspace: String,
        identities: [(runbook: String, key: String?)], tenants: [String]?
    ) async -> CheckReport {
        let desk = LedgerDesk(opener: opener, ledger: settings, workspace: workspace)
        do throws(ServiceError) {
            guard try await desk.openForReading() else {
                throw ServiceError(.ledger, "There is no ledger, so nothing is proven done.")
            }
            let asked: [CheckQuestion]
            if let manifest {
                let (all, _) = try await members(manifest, desk)
                asked = try CheckQuestion.from(manifest, identities, tenants: tenants, all: all)
            } else {
                guard let tenants else {
                    throw ServiceError(
                        .unknownName, "--all-tenants needs a manifest: the ledger knows only tenants it has seen.")
                }
                asked = try await desk.checkQuestions(identities, tenants: tenants)
            }
            let checked = try await desk.check(asked)
            await desk.close()
            let exit = CheckQuestion.exit(checked)
            return CheckReport(
                ok: exit == .done, exitCode: Int(exit.rawValue), workspace: workspace, identities: checked)
        } catch {
            await desk.close()
            return CheckReport(
                ok: false, exitCode: Int(error.exitStatus.rawValue), workspace: workspace,
                error: ReportError(code: error.code.rawValue, message: error.message))
        }
    }

    private func members(
        _ manifest: Manifest, _ desk: LedgerDesk
    ) async throws(ServiceError) -> ([Tenant], LedgerDesk) {
        let set = try await desk.asks(TenantDirectory(manifest: manifest, opener: opener))
        return (set.members.map { $0.tenant }, desk)
    }

    package func runs(
        ledger settings: LedgerSettings, workspace: String, limit: Int
    ) async throws(ServiceError) -> RunList {
        try await reading(settings, workspace) { desk async throws(ServiceError) in
            RunList(runs: try await desk.read { ledger throws(DatabaseError) in try ledger.runs(limit: limit) })
        } ?? RunList(runs: [])
    }

    package func run(
        _ id: String, ledger settings: LedgerSettings, workspace: String
    ) async throws(ServiceError) -> RunDetail {
        let detail = try await reading(settings, workspace) { desk async throws(ServiceError) in
            try await desk.detail(ofRun: id)
        }
        guard let found = detail, let found else {
            throw ServiceError(
                .unknownName, "There is no run \(id) in workspace \"\(workspace)\"; `muster runs` lists them.")
        }
        return found
    }

    /// Opens the ledger for reading around `body`; nil when there is none.
    func reading<Answer: Sendable>(
        _ settings: LedgerSettings, _ workspace: String,
        _ body: (LedgerDesk) async throws(ServiceError) -> Answer
    ) async throws(ServiceError) -> Answer? {
        let desk = LedgerDesk(opener: opener, ledger: settings, workspace: workspace)
        do throws(ServiceError) {
            guard try await desk.openForReading() else {
                await desk.close()
                return nil
            }
            let answer = try await body(desk)
            await desk.close()
            return answer
        } catch {
            await desk.close()
            throw error
        }
    }

    package func tenants(_ manifest: Manifest, _ selection: Selection) async throws(ServiceError) -> TenantList {
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        let set = try await desk.asks(TenantDirectory(manifest: manifest, opener: opener))
        let selected: TenantSet
        do throws(TenantSetError) { selected = try set.selected(by: selection) } catch {
            throw ServiceError(.unknownName, "\(error)")
        }
        return TenantList(
            workspace: manifest.workspace,
            tenants: selected.members.map { member in
                TenantList.Entry(
                    id: member.tenant.id, target: Self.masked(member.target.url), schema: member.target.schema,
                    labels: member.tenant.labels)
            })
    }

    /// An address without its password.
    static func masked(_ url: Redacted) -> String {
        do throws(DatabaseError) { return try ConnectionURL(parsing: url.revealed).description } catch { return "****" }
    }
}
