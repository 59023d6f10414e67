package import RunbookModel

extension RunList: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        if runs.isEmpty { return ["No run has been made yet."] }
        return TextTable(
            [
                .words("RUN"), .words("KIND", optional: true), .words("STARTED"), .words("PHASE", optional: true),
                .words("RESULT"), .number("DONE"),
                .number("FAILED", optional: true), .number("UNKNOWN", optional: true),
                .number("BLOCKED", optional: true), .number("TENANTS"), .words("RELEASE", optional: true), .words("BY"),
            ],
            runs.map {
                [
                    $0.id, $0.kind == .apply ? "" : $0.kind.rawValue, $0.startedAt.readable, $0.phase ?? "",
                    $0.outcome?.rawValue ?? $0.status.rawValue,
                    "\($0.counts.succeeded + ($0.kind == .apply ? $0.counts.skipped : 0))", "\($0.counts.failed)",
                    "\($0.counts.unknown)",
                    "\($0.counts.blocked)", "\($0.counts.total)", $0.release ?? "", $0.initiator.name,
                ]
            }
        ).lines(width: layout.width, style: layout.style)
    }
}

extension TenantList: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        var lines = TextTable(
            [.words("TENANT"), .words("SCHEMA", optional: true), .words("TARGET"), .words("LABELS", optional: true)],
            tenants.map { tenant in
                let labels = tenant.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                return [tenant.id, tenant.schema ?? "", tenant.target, labels.joined(separator: " ")]
            }
        ).lines(width: layout.width, style: layout.style)
        if tenants.isEmpty { lines = ["The workspace \(workspace.printable) has no tenant."] }
        return lines + notices.map { layout.style.warning("Notice: " + $0.printable) }
    }
}

extension LockList: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        if locks.isEmpty { return ["No lock is held."] }
        return TextTable(
            [
                .words("TENANT"), .words("LEVEL"), .words("MODE"), .words("HOLDER", optional: true),
                .words("PID", optional: true), .words("CLIENT", optional: true), .words("SINCE", optional: true),
                .words("DATABASE"),
            ],
            locks.map {
                [
                    $0.tenant ?? "-", $0.level, $0.mode, $0.application ?? "", $0.pid.map(String.init) ?? "",
                    $0.client ?? "", $0.since?.readable ?? "", $0.database,
                ]
            }
        ).lines(width: layout.width, style: layout.style)
    }
}

extension LockKeyReport: TextAnswer {
    package func lines(_ layout: TextLayout) -> [String] {
        if let error { return error.lines(exitCode: exitCode, layout) }
        return [
            "tenant     \(tenant.printable)", "key        \(key)", "workspace  \(workspaceKey)",
            "database   \(database.printable)",
        ]
    }
}
