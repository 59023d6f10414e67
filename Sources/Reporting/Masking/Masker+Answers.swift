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

    private func mask(_ failure: inout Failure, _ known: inout [String: String]) {
        func masked(_ text: String?) -> String? {
            guard let text else { return nil }
            if let answer = known[text] { return answer }
            let answer = self(text)
            // What is as it was stays one text with all its copies.
            let kept = answer == text ? text : answer
            if known.count < 10_000 { known[text] = kept }
            return kept
        }
        failure.message = masked(failure.message) ?? failure.message
        failure.detail = masked(failure.detail)
        failure.hint = masked(failure.hint)
        failure.statement = masked(failure.statement)
    }

    package func callAsFunction(_ error: ReportError?) -> ReportError? {
        error.map { ReportError(code: $0.code, message: self($0.message)) }
    }

    package func callAsFunction(_ report: Report) -> Report {
        var report = report
        // Many are alike: what was looked through once is not again, and stays one text in memory.
        var known: [String: String] = [:]
        for index in report.failures.indices { mask(&report.failures[index], &known) }
        for index in report.causes.indices { report.causes[index].message = self(report.causes[index].message) }
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
                if let reason = report.tenants[tenant].steps[step].reason {
                    let masked = self(reason)
                    if masked != reason { report.tenants[tenant].steps[step].reason = masked }
                }
                if let error = report.tenants[tenant].steps[step].preflight?.error {
                    let masked = self(error)
                    if masked != error { report.tenants[tenant].steps[step].preflight?.error = masked }
                }
            }
        }
        report.notices = report.notices.map { self($0) }
        report.error = self(report.error)
        return report
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
