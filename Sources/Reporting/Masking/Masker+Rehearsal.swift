package import RunbookModel

extension Masker {
    package func callAsFunction(_ report: RehearsalReport) -> RehearsalReport {
        var report = report
        report.failures = report.failures.map { self($0) }
        for index in report.causes.indices { report.causes[index].message = self(report.causes[index].message) }
        for tenant in report.tenants.indices {
            report.tenants[tenant].message = self(report.tenants[tenant].message)
            for step in report.tenants[tenant].steps.indices {
                report.tenants[tenant].steps[step].reason = self(report.tenants[tenant].steps[step].reason)
            }
        }
        for index in report.hooks.indices {
            report.hooks[index].reason = self(report.hooks[index].reason)
            report.hooks[index].output = self(report.hooks[index].output)
        }
        report.notices = report.notices.map { self($0) }
        report.error = self(report.error)
        return report
    }
}
