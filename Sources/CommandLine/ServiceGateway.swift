import DatabaseAccess
import RunbookModel
import RunbookRunner

/// The service's calls as the command line makes them, until the service has them.
extension RunbookService {
    private static var missing: ServiceError { ServiceError(.internal, "The service is not wired yet.") }
    private static var missingError: ReportError { ReportError(code: "internal", message: missing.message) }

    func plan(_ manifest: Manifest, _ selection: Selection, expectedTenants: Int?) async -> PlanReport {
        PlanReport(ok: false, exitCode: 1, error: Self.missingError)
    }

    func apply(
        _ manifest: Manifest, _ request: ApplyRequest, events: any EventSink, stop: StopSwitch
    ) async -> Report {
        Report(
            command: "apply", ok: false, exitCode: 1, outcome: .failed, error: Self.missingError, startedAt: .init(),
            finishedAt: .init(), durationMS: 0)
    }

    func status(_ manifest: Manifest, _ selection: Selection) async -> StatusReport {
        StatusReport(ok: false, exitCode: 1, error: Self.missingError)
    }

    func status(ledger: LedgerSettings, workspace: String, _ selection: Selection) async -> StatusReport {
        StatusReport(ok: false, exitCode: 1, error: Self.missingError)
    }

    func check(
        _ manifest: Manifest?, ledger: LedgerSettings, workspace: String, identities: [(String, String?)],
        tenants: [String]?
    ) async -> CheckReport {
        CheckReport(ok: false, exitCode: 1, error: Self.missingError)
    }

    func runs(ledger: LedgerSettings, workspace: String, limit: Int) async throws(ServiceError) -> RunList {
        throw Self.missing
    }

    func run(_ id: String, ledger: LedgerSettings) async throws(ServiceError) -> RunDetail { throw Self.missing }

    func tenants(_ manifest: Manifest, _ selection: Selection) async throws(ServiceError) -> TenantList {
        throw Self.missing
    }

    func locks(_ manifest: Manifest) async throws(ServiceError) -> LockList { throw Self.missing }

    func lockKey(_ manifest: Manifest, tenant: String) async throws(ServiceError) -> LockKeyReport {
        throw Self.missing
    }
}

extension StopSwitch {
    func request(_ signal: Int32) {}
}
