package import RunbookModel

extension BaselineReport: TextAnswer {
    private static let refusalsShown = 20

    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        var lines = TextTable(
            [.words("RUNBOOK"), .number("DECLARED DONE"), .number("DONE BEFORE")],
            runbooks.map { ["\($0.id)@\($0.key)", "\($0.baselined)", "\($0.done)"] }
        ).lines(width: layout.width, style: layout.style)
        let declared = runbooks.reduce(0) { $0 + $1.baselined }
        lines += [
            "",
            declared == 0
                ? "Nothing was declared done (\(Phrase.counted(tenants, "tenant")))."
                : "\(Phrase.counted(declared, "execution")) declared done; nothing was run "
                    + "(\(Phrase.counted(tenants, "tenant"))).",
        ]
        for refusal in refusals.prefix(Self.refusalsShown) {
            let place = (refusal.tenant ?? "the workspace").printable
            let name = refusal.runbook.map { ": \($0)@\(refusal.key ?? "")".printable } ?? ""
            lines.append(layout.style.bad("\(place)\(name): \(refusal.detail?.printable ?? refusal.reason.rawValue)"))
        }
        if refusals.count > Self.refusalsShown {
            lines.append("And \(refusals.count - Self.refusalsShown) more; --format json lists them all.")
        }
        let reasons = Set(refusals.map(\.reason))
        lines += Reason.allCases.filter(reasons.contains).map { "  " + $0.advice }
        return lines + notices.map { layout.style.warning("Notice: " + $0.printable) }
    }
}

extension BaselineReport.Reason {
    fileprivate var advice: String {
        switch self {
        case .undecided: "Its end was not seen: muster resolve says what became of it."
        case .foreignReceipt: "Renamed, or copied from another tenant: muster ledger repair --adopt comes first."
        case .busy: "Not every tenant was to be had: the same command does the rest later."
        }
    }
}
