package import RunbookModel

extension Masker {
    package func callAsFunction(_ report: RepairReport) -> RepairReport {
        var report = report
        for index in report.findings.indices { report.findings[index].detail = self(report.findings[index].detail) }
        report.error = self(report.error)
        return report
    }

    package func callAsFunction(_ report: ResolveReport) -> ResolveReport {
        var report = report
        for index in report.tenants.indices { report.tenants[index].detail = self(report.tenants[index].detail) }
        report.error = self(report.error)
        return report
    }

    package func callAsFunction(_ report: CancelReport) -> CancelReport {
        var report = report
        if let reason = report.run?.stopReason { report.run?.stopReason = self(reason) }
        report.error = self(report.error)
        return report
    }

    package func callAsFunction(_ report: BaselineReport) -> BaselineReport {
        var report = report
        for index in report.refusals.indices { report.refusals[index].detail = self(report.refusals[index].detail) }
        report.notices = report.notices.map { self($0) }
        report.error = self(report.error)
        return report
    }
}
