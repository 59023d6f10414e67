package import RunbookModel

extension LedgerContents: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        if let records { return self.lines(of: records, layout) }
        if identities.isEmpty { return ["The ledger holds nothing yet."] }
        var lines = TextTable(
            [
                .words("RUNBOOK"), .words("PHASE", optional: true), .number("SUCCEEDED"),
                .number("BASELINED", optional: true), .number("RUNNING", optional: true),
                .number("FAILED", optional: true), .number("UNKNOWN", optional: true),
                .number("ROLLED BACK", optional: true), .words("", optional: true),
            ],
            identities.map {
                [
                    "\($0.runbook)@\($0.key)", $0.phase ?? "", "\($0.succeeded)", "\($0.baselined)", "\($0.running)",
                    "\($0.failed)", "\($0.unknown)", "\($0.rolledBack)", $0.isListed ? "" : "no longer listed",
                ]
            }
        ).lines(width: layout.width, style: layout.style)
        lines += ["", "\(Phrase.counted(tenants, "tenant")) when last seen. --tenant T shows a tenant's records."]
        return lines
    }

    private func lines(of records: [LedgerRecord], _ layout: TextLayout) -> [String] {
        if records.isEmpty { return ["Nothing is on record there."] }
        return TextTable(
            [
                .words("TENANT"), .words("RUNBOOK"), .words("STATE"), .number("TRIES"),
                .words("FINISHED", optional: true), .words("RUN", optional: true),
            ],
            records.map {
                [
                    $0.tenant ?? "-", "\($0.runbook)@\($0.key)", $0.state.rawValue, "\($0.attempt)",
                    $0.finishedAt?.readable ?? "", $0.runID ?? "",
                ]
            }
        ).lines(width: layout.width, style: layout.style)
    }
}
