package import RunbookModel

/// Which fields of an answer hold words from outside.
extension Masker {
    package func callAsFunction(_ failure: Failure) -> Failure {
        var failure = failure
        failure.message = self(failure.message)
        failure.detail = self(failure.detail)
        failure.hint = self(failure.hint)
        failure.statement = self(failure.statement)
        return failure
    }

    package func callAsFunction(_ hook: HookReport) -> HookReport {
        var hook = hook
        hook.message = self(hook.message)
        hook.output = self(hook.output)
        return hook
    }

    package func callAsFunction(_ error: ReportError?) -> ReportError? {
        error.map { ReportError(code: $0.code, message: self($0.message)) }
    }

    package func callAsFunction(_ report: Report) -> Report {
        var report = report
        report.failures = report.failures.map { self($0) }
        for index in report.causes.indices { report.causes[index].message = self(report.causes[index].message) }
        report.hooks = report.hooks.map { self($0) }
        report.notices = report.notices.map { self($0) }
        report.error = self(report.error)
        let stopReason = self(report.run?.stopReason)
        report.run?.stopReason = stopReason
        return report
    }

    package func callAsFunction(_ report: PlanReport) -> PlanReport {
        var report = report
        for tenant in report.tenants.indices {
            for step in report.tenants[tenant].steps.indices {
                // Tenants that are alike share their steps; who writes gets a copy.
                guard let reason = report.tenants[tenant].steps[step].reason else { continue }
                let masked = self(reason)
                if masked != reason { report.tenants[tenant].steps[step].reason = masked }
            }
        }
        report.notices = report.notices.map { self($0) }
        report.error = self(report.error)
        return report
    }

    package func callAsFunction(_ view: RollbackView) -> RollbackView {
        var view = view
        view.notices = view.notices.map { self($0) }
        view.error = self(view.error)
        return view
    }

    package func callAsFunction(_ report: StatusReport) -> StatusReport {
        var report = report
        report.notices = report.notices.map { self($0) }
        report.error = self(report.error)
        return report
    }

    package func callAsFunction(_ report: CheckReport) -> CheckReport {
        var report = report
        report.error = self(report.error)
        return report
    }

    package func callAsFunction(_ detail: RunDetail) -> RunDetail {
        var detail = detail
        detail.failures = detail.failures.map { self($0) }
        detail.hooks = detail.hooks.map { self($0) }
        let stopReason = self(detail.run.stopReason)
        detail.run.stopReason = stopReason
        return detail
    }

    package func callAsFunction(_ event: RunEvent) -> RunEvent {
        switch event {
        case .executionFinished(let tenant, let identity, let state, let rowsAffected, let durationMS, let failure):
            .executionFinished(
                tenant: tenant, identity: identity, state: state, rowsAffected: rowsAffected, durationMS: durationMS,
                failure: failure.map { self($0) })
        case .message(let text): .message(self(text))
        case .summary(let report): .summary(self(report))
        case .runStarted, .tenantStarted, .batch, .waitingLock, .tenantFinished: event
        }
    }
}
