import RunbookModel

/// A run as JUnit XML, which CI systems show as tests.
///
/// A suite for each runbook, with a case for each tenant where it did not end well. Those where it did are one case
/// together: a thousand green lines would hide the red one, and the report does not know them by name.
struct JUnitFile {
    private let report: Report
    private let verdict: String
    private let ofWorkspace: Set<String>

    init(_ answer: RunAnswer) {
        report = answer.report
        ofWorkspace = answer.workspaceRunbooks
        verdict = answer.verdict
    }

    private struct Suite {
        var name: String
        var seconds: Double
        var tests = 0
        var failures = 0
        var errors = 0
        var skipped = 0
        /// Cases of many tenants.
        var common: [(name: String, body: String)] = []
    }

    func write(to write: (String) -> Void) {
        var suites = report.runbooks.map(suite)
        let run = runSuite
        let known = Set(report.runbooks.map { name($0.id, $0.key) })
        suites.append(run)
        // What no runbook of the report has, the run has: a tenant whose lock was not free.
        func owner(_ failure: Failure) -> String {
            let name = name(failure.runbook ?? "", failure.key ?? "")
            return known.contains(name) ? name : run.name
        }
        for failure in report.failures {
            guard let index = suites.firstIndex(where: { $0.name == owner(failure) }) else { continue }
            suites[index].tests += 1
            if failure.state == "failed" || failure.state == "drifted" {
                suites[index].failures += 1
            } else {
                suites[index].errors += 1
            }
        }
        suites = suites.filter { $0.tests > 0 }
        func total(_ count: KeyPath<Suite, Int>) -> String { "\(suites.reduce(0) { $0 + $1[keyPath: count] })" }
        write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        write(
            "<testsuites"
                + XMLText.attributes([
                    "name": "muster \(report.command)", "tests": total(\.tests), "failures": total(\.failures),
                    "errors": total(\.errors), "time": Self.seconds(Double(report.durationMS) / 1000),
                ]) + ">\n")
        for suite in suites {
            write(
                "  <testsuite"
                    + XMLText.attributes([
                        "name": suite.name, "tests": "\(suite.tests)", "failures": "\(suite.failures)",
                        "errors": "\(suite.errors)", "skipped": "\(suite.skipped)",
                        "time": Self.seconds(suite.seconds),
                        "timestamp": String(report.startedAt.rfc3339.dropLast(5)),
                    ]) + ">\n")
            if suite.name == run.name { write(properties) }
            for common in suite.common { write(testCase(common.name, suite.name, common.body)) }
            for failure in report.failures where owner(failure) == suite.name {
                write(testCase(failure.tenant ?? "workspace", suite.name, body(of: failure)))
            }
            write("  </testsuite>\n")
        }
        write("</testsuites>\n")
    }

    private func suite(_ runbook: Report.RunbookSummary) -> Suite {
        var suite = Suite(name: name(runbook.id, runbook.key), seconds: Double(runbook.durationMS) / 1000)
        let counts = runbook.counts
        func words(_ what: String, _ count: Int) -> String {
            ofWorkspace.contains(runbook.id) ? what : "\(what) on \(Phrase.counted(count, "tenant"))"
        }
        if counts.succeeded > 0 { suite.common.append((words("done", counts.succeeded), "")) }
        if counts.skipped > 0 { suite.common.append((words("done before", counts.skipped), "")) }
        for (count, word) in [(counts.blocked, "blocked"), (counts.cancelled, "cancelled")] where count > 0 {
            let words = words(word, count)
            suite.common.append((words, "      <skipped\(XMLText.attributes(["message": words]))/>\n"))
            suite.skipped += 1
        }
        suite.tests = suite.common.count
        return suite
    }

    /// What is about no runbook: why the run was refused or stopped.
    private var runSuite: Suite {
        var suite = Suite(name: "muster \(report.command)", seconds: Double(report.durationMS) / 1000)
        let problem =
            report.error.map { ($0.code, $0.message) } ?? report.run?.stopReason.map { ("stopped", "stopped: \($0)") }
        if let (code, message) = problem {
            let attributes = XMLText.attributes(["type": code, "message": message.firstLine])
            suite.common = [("run", "      <error\(attributes)>\(XMLText.escaped(message))</error>\n")]
            suite.errors = 1
        } else {
            suite.common = [("run", "      <system-out>\(XMLText.escaped(verdict))</system-out>\n")]
        }
        suite.tests = 1
        return suite
    }

    private var properties: String {
        let facts: [(String, String?)] = [
            ("run", report.run?.id), ("release", report.run?.release), ("workspace", report.workspace),
            ("phase", report.phase), ("outcome", report.outcome.rawValue), ("exit_code", "\(report.exitCode)"),
            ("next", report.next),
        ]
        let lines = facts.compactMap { name, value in
            value.map { "      <property\(XMLText.attributes(["name": name, "value": $0]))/>\n" }
        }
        return "    <properties>\n" + lines.joined() + "    </properties>\n"
    }

    private func body(of failure: Failure) -> String {
        let place = failure.file.map { $0 + (failure.line.map { ":\($0)" } ?? "") }
        let text = [
            failure.message, failure.detail, failure.hint.map { "Hint: \($0)" }, place.map { "at \($0)" },
            failure.statement,
        ].compactMap(\.self).joined(separator: "\n")
        let element = failure.state == "failed" || failure.state == "drifted" ? "failure" : "error"
        let type = failure.sqlstate ?? failure.state
        let attributes = XMLText.attributes(["type": type, "message": failure.message.firstLine])
        return "      <\(element)\(attributes)>\(XMLText.escaped(text))</\(element)>\n"
    }

    private func testCase(_ name: String, _ suite: String, _ body: String) -> String {
        let head = "    <testcase" + XMLText.attributes(["name": name, "classname": suite, "time": "0"])
        return body.isEmpty ? head + "/>\n" : head + ">\n\(body)    </testcase>\n"
    }

    private func name(_ runbook: String, _ key: String) -> String { "\(runbook)@\(key)" }

    private static func seconds(_ seconds: Double) -> String {
        let milliseconds = Int((seconds * 1000).rounded())
        let rest = String(1000 + milliseconds % 1000).dropFirst()
        return "\(milliseconds / 1000).\(rest)"
    }
}

extension String {
    var firstLine: String { String(prefix { !$0.isNewline }) }
}
