import FoundationEssentials
import RunbookModel

/// A run in the text format that node_exporter's textfile collector reads.
struct PrometheusFile {
    private let report: Report
    private let version: String

    init(_ answer: RunAnswer, version: String) {
        report = answer.report
        self.version = version
    }

    func write(to write: (String) -> Void) {
        let own = [("workspace", report.workspace ?? ""), ("phase", report.phase ?? ""), ("command", report.command)]
        func metric(_ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: String)]) {
            guard !samples.isEmpty else { return }
            write("# HELP \(name) \(help)\n# TYPE \(name) gauge\n")
            for sample in samples { write(Self.line(name, own + sample.labels, sample.value)) }
        }
        metric(
            "muster_run_info", "The last run; its value is always 1.",
            [
                (
                    [
                        ("run", report.run?.id ?? ""), ("release", report.run?.release ?? ""),
                        ("outcome", report.outcome.rawValue), ("version", version),
                    ], "1"
                )
            ])
        metric("muster_run_exit_code", "What the process ended with; 0 is success.", [([], "\(report.exitCode)")])
        metric(
            "muster_run_nothing_to_do", "1 when everything was done before.", [([], report.nothingToDo ? "1" : "0")])
        metric("muster_run_duration_seconds", "How long it took.", [([], Self.seconds(report.durationMS))])
        metric(
            "muster_run_finished_timestamp_seconds", "When it ended, in seconds since 1970.",
            [([], Self.seconds(Int((report.finishedAt.timeIntervalSince1970 * 1000).rounded())))])
        metric(
            "muster_run_tenants", "Tenants by what became of their jobs.",
            Self.states(report.counts).map { ([("state", $0.state)], "\($0.count)") })
        metric(
            "muster_run_executions", "Executions of each runbook by what became of them.",
            report.runbooks.flatMap { runbook in
                Self.states(runbook.counts).map { (Self.labels(runbook) + [("state", $0.state)], "\($0.count)") }
            })
        metric(
            "muster_runbook_duration_seconds", "Time of all executions of a runbook together.",
            report.runbooks.map { (Self.labels($0), Self.seconds($0.durationMS)) })
        metric(
            "muster_runbook_rows_affected", "Rows that a runbook changed, in all tenants together.",
            report.runbooks.map { (Self.labels($0), "\($0.rowsAffected)") })
    }

    private static func labels(_ runbook: Report.RunbookSummary) -> [(String, String)] {
        [("runbook", runbook.id), ("key", runbook.key)]
    }

    /// All of them, so that a series that was there yesterday is 0 today and not absent.
    private static func states(_ counts: JobCounts) -> [(state: String, count: Int)] {
        [
            ("succeeded", counts.succeeded), ("skipped", counts.skipped), ("failed", counts.failed),
            ("blocked", counts.blocked), ("unknown", counts.unknown), ("cancelled", counts.cancelled),
        ]
    }

    private static func line(_ name: String, _ labels: [(String, String)], _ value: String) -> String {
        let text = labels.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
        return "\(name){\(text)} \(value)\n"
    }

    /// A label's value (Prometheus, "Text-based format").
    private static func escaped(_ value: String) -> String {
        var out = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func seconds(_ milliseconds: Int) -> String {
        let rest = String(1000 + abs(milliseconds) % 1000).dropFirst()
        return "\(milliseconds / 1000).\(rest)"
    }
}
