package import RunbookModel

extension RollbackView: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        let style = layout.style
        var lines: [String] = []
        if let error { lines += error.lines(exitCode: exitCode, layout) }
        if error == nil, !hasWork {
            lines.append(style.good("Nothing to undo" + (undoes.map { " of run \($0)" } ?? "") + "."))
        }
        if hasWork {
            let what = undoes.map { "what run \($0) did" } ?? Phrase.counted(runbooks.count, "runbook")
            lines.append("Would undo \(what) on \(tenants) of \(Phrase.counted(tenantCount, "tenant")), in this order:")
            let table = TextTable(
                [
                    .words("RUNBOOK"), .number("TENANTS"), .number("UNKNOWN", optional: true), .words("ROLLBACK"),
                ],
                runbooks.map { undo in
                    [
                        "\(undo.id)@\(undo.key)", undo.scope == .workspace ? "once" : "\(undo.count)",
                        "\(undo.unknown)",
                        undo.file + (undo.kind == "sql" && !undo.transaction ? " (not transactional)" : ""),
                    ]
                })
            lines += [""] + table.lines(width: layout.width, style: style)
        }
        if !notices.isEmpty { lines += [""] + notices.map { style.warning("Notice: " + $0.printable) } }
        return lines
    }
}
