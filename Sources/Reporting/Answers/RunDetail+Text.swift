package import RunbookModel

extension RunDetail: TextAnswer {
    private static let failuresShown = 20

    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        var lines = [
            run.sentence,
            "Started by \(run.initiator.name.printable) (\(run.initiator.kind)) from \(run.door)"
                + (run.initiator.url.map { ", " + $0.printable } ?? "") + ".",
        ]
        let facts = [
            run.phase.map { "phase \($0)" }, run.release.map { "release \($0)" }, run.revision.map { "revision \($0)" },
            "manifest \(run.manifestDigest)",
        ].compactMap(\.self).map(\.printable)
        if run.kind == .rollback {
            lines.append("It was a rollback" + (run.undoes.map { " of what run \($0.printable) did." } ?? "."))
        }
        lines.append("It ran \(facts.joined(separator: ", ")).")
        if let stopReason = run.stopReason { lines.append("It was stopped: \(stopReason.printable).") }
        if !runbooks.isEmpty {
            lines += [""] + runbookTable.lines(width: layout.width, style: layout.style)
        }
        if !hooks.isEmpty { lines += [""] + hookTable.lines(width: layout.width, style: layout.style) }
        if !failures.isEmpty {
            lines += [""] + failureTable.lines(width: layout.width, style: layout.style)
            if failures.count > Self.failuresShown {
                lines.append("And \(failures.count - Self.failuresShown) more; --format json lists them all.")
            }
        }
        return lines
    }

    private var runbookTable: TextTable {
        TextTable(
            [
                .words("RUNBOOK"), .number("SUCCEEDED"), .number("SKIPPED", optional: true),
                .number("FAILED", optional: true), .number("UNKNOWN", optional: true),
                .number("BLOCKED", optional: true), .number("ROWS"), .words("TIME"),
            ],
            runbooks.map {
                [
                    "\($0.id)@\($0.key)", "\($0.counts.succeeded)", "\($0.counts.skipped)", "\($0.counts.failed)",
                    "\($0.counts.unknown)", "\($0.counts.blocked)", "\($0.rowsAffected)",
                    Phrase.duration(milliseconds: $0.durationMS),
                ]
            })
    }

    private var hookTable: TextTable {
        TextTable(
            [
                .words("HOOK"), .words("TENANT", optional: true), .words("STATE"), .number("ATTEMPTS"), .words("TIME"),
                .words("MESSAGE", optional: true),
            ],
            hooks.prefix(Self.failuresShown).map {
                [
                    $0.hook.rawValue, $0.tenant ?? "", $0.state.rawValue, "\($0.attempts)",
                    Phrase.duration(milliseconds: $0.durationMS), $0.message ?? "",
                ]
            })
    }

    private var failureTable: TextTable {
        TextTable(
            [
                .words("TENANT"), .words("RUNBOOK"), .words("STATE"), .words("SQLSTATE", optional: true),
                .words("PLACE", optional: true), .words("MESSAGE"),
            ],
            failures.prefix(Self.failuresShown).map { failure in
                [
                    failure.tenant ?? "-", failure.runbook ?? "-", failure.state, failure.sqlstate ?? "",
                    failure.file.map { $0 + (failure.line.map { ":\($0)" } ?? "") } ?? "", failure.message,
                ]
            })
    }
}
