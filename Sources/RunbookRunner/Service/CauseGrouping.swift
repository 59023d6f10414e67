import RunbookModel

enum CauseGrouping {
    static func causes(of failures: [Failure]) -> [Cause] {
        Dictionary(grouping: failures) { "\($0.runbook ?? "")|\($0.sqlstate ?? "")|\($0.message)|\($0.line ?? 0)" }.values
            .map {
                Cause(
                    count: $0.count, runbook: $0[0].runbook, sqlstate: $0[0].sqlstate, message: $0[0].message,
                    file: $0[0].file, line: $0[0].line, sampleTenants: $0.prefix(3).compactMap { $0.tenant })
            }.sorted { $0.count > $1.count }
    }
}
