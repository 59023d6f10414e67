package import RunbookModel

extension RepairReport: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        let asked = Phrase.counted(tenants, "tenant")
        if findings.isEmpty { return ["Ledger and tenants agree (\(asked))."] }
        var lines: [String] = []
        for finding in findings.prefix(100) {
            let line = finding.sentence
            lines.append(
                finding.repaired ? layout.style.good("repaired  ") + line : layout.style.bad("          ") + line)
        }
        if findings.count > 100 { lines.append("          … and \(findings.count - 100) more") }
        let open = findings.filter { !$0.repaired }
        let repaired = findings.count - open.count
        if repaired > 0 { lines.append("\(repaired) of \(findings.count) disagreements are repaired (\(asked)).") }
        guard !open.isEmpty else { return lines }
        if repaired == 0 { lines.append("\(Phrase.counted(open.count, "disagreement")) (\(asked)).") }
        let kinds = Set(open.map(\.kind))
        lines += Kind.allCases.filter(kinds.contains).map { "  " + $0.advice }
        return lines
    }
}

extension RepairReport.Finding {
    fileprivate var sentence: String {
        let place = (tenant ?? "the workspace").printable
        guard let runbook, let key else { return "\(place): \(detail?.printable ?? "no answer")" }
        let said =
            switch kind {
            case .missingReceipt:
                "done in the ledger, but " + (detail.map { "\($0.printable)" } ?? "the tenant has no receipt")
            case .foreignReceipt: "the receipt stands under the name of \(detail?.printable ?? "another tenant")"
            case .missingRecord: "the tenant has the receipt, the ledger does not know"
            case .changedBody: detail?.printable ?? "done with another body"
            case .unanswered: detail?.printable ?? "no answer"
            }
        return "\(place): \("\(runbook)@\(key)".printable): \(said)"
    }
}

extension RepairReport.Kind {
    fileprivate var advice: String {
        switch self {
        case .missingReceipt:
            "Restored from an older backup, or rolled back by a run that ended early: --forget-missing lets the next "
                + "apply run them again."
        case .foreignReceipt: "Renamed, or copied from another tenant: --adopt makes the receipts this tenant's."
        case .missingRecord: "The next apply takes the receipts over; it runs nothing again."
        case .changedBody: "Another body is meant by the same key: --accept-checksum declares the new one done."
        case .unanswered: "Not every tenant could be asked: try again later."
        }
    }
}
