import Foundation
import Reporting
import RunbookModel
import Testing

@Suite struct ReportEncoderTests {
    private static let counts = JobCounts()
    private static let initiator = Initiator(kind: "user", name: "ada")
    private static let start = Date(timeIntervalSince1970: 0)

    /// Every answer with nothing optional in it.
    static let bareAnswers: [any Encodable & Sendable] = [
        Report(
            command: "apply", ok: false, exitCode: 1, outcome: .failed, startedAt: start, finishedAt: start,
            durationMS: 0),
        Report.RunFacts(id: "1", identity: "i", release: nil, joined: false, initiator: initiator),
        Failure(tenant: nil, runbook: nil, key: nil, state: "failed", message: "m"),
        Cause(count: 1, runbook: nil, sqlstate: nil, message: "m", file: nil, line: nil, sampleTenants: []),
        PlanReport(), PlanReport.PlannedStep(runbook: "r", key: "1", decision: .run),
        PlanReport.PlannedTenant(tenant: nil, steps: []), StatusReport(), CheckReport(ok: true, exitCode: 0),
        RunRecord(
            id: "1", identity: "i", workspace: "w", phase: nil, status: .running, outcome: nil, counts: counts,
            release: nil, revision: nil, manifestDigest: "d", door: "cli", initiator: initiator, startedAt: start,
            finishedAt: nil, stopReason: nil),
        RunList(runs: []), TenantList(workspace: "w", tenants: []), LockList(locks: []),
        LockList.Holder(
            tenant: nil, level: "gate", mode: "shared", database: "d", pid: nil, application: nil, client: nil,
            since: nil),
        LockKeyReport(tenant: "t", key: 1, workspaceKey: 2, database: "d"), initiator,
    ]

    /// Guarantee: each stored property is a member, in declared order, whether or not it has a value.
    @Test(arguments: bareAnswers.indices)
    func nothingIsAbsent(_ index: Int) throws {
        let answer = Self.bareAnswers[index]
        guard case .object(let members) = try ReportEncoder.value(of: answer) else {
            Issue.record("\(answer) is no object")
            return
        }
        let declared = Mirror(reflecting: answer).children.compactMap(\.label)
        #expect(members.map { $0.name.replacing("_", with: "") } == declared.map { $0.lowercased() })
        let isNil = Mirror(reflecting: answer).children.map { Mirror(reflecting: $0.value).displayStyle == .optional }
        #expect(zip(members, isNil).allSatisfy { !$1 || $0.value == .null })
    }

    /// Guarantee: names are snake_case, also with abbreviations.
    @Test func namesAreSnakeCase() throws {
        let report = try ReportEncoder.value(of: Self.bareAnswers[0])
        for name in ["exit_code", "nothing_to_do", "started_at", "duration_ms", "rows_affected"] {
            let place = name == "rows_affected" ? nil : report[name]
            #expect(name == "rows_affected" || place != nil, "\(name)")
        }
        var decisions = PlanReport.DecisionCounts()
        decisions.add(.notApplicable)
        #expect(try ReportEncoder.value(of: decisions)["not_applicable"] == .integer(1))
        #expect(
            try ReportEncoder.value(of: LockKeyReport(tenant: "t", key: .min, workspaceKey: 2, database: "d"))["key"]
                == .integer(.min))
    }

    /// Guarantee: labels are data: their names stay as they are, and are sorted.
    @Test func labelsKeepTheirNames() throws {
        let tenant = TenantList.Entry(id: "a", target: "t", schema: nil, labels: ["planType": "x", "Area": "eu"])
        let text = try ReportEncoder.value(of: tenant).line
        #expect(text == #"{"id":"a","target":"t","schema":null,"labels":{"Area":"eu","planType":"x"}}"#)
    }

    /// Guarantee: dates are RFC 3339 in UTC with exactly three digits of milliseconds.
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (1.0006, "1970-01-01T00:00:01.001Z"), (-0.25, "1969-12-31T23:59:59.750Z"),
        (951_782_400.999_7, "2000-02-29T00:00:01.000Z"), (1_700_000_000.123, "2023-11-14T22:13:20.123Z"),
    ])
    func datesAreWritten(_ seconds: Double, _ text: String) {
        #expect(Date(timeIntervalSince1970: seconds).rfc3339 == text)
    }

    /// Guarantee: whatever text is in a document, JSON parsers read it back unchanged, and no control character is left.
    @Test(arguments: ["", "plain", "\"\\/\n\r\t\u{0}\u{1B}[2J\u{7F}\u{9B}", "日本 👩‍👩‍👧 \u{2028}\u{202E}", "é\u{301}"])
    func textSurvives(_ text: String) throws {
        let value = JSONValue.object([
            .init("a", .array([.text(text), .number(.nan), .number(1.5)])), .init("b", .object([])),
        ])
        for written in [value.line, value.page] {
            let read = try JSONSerialization.jsonObject(with: Data(written.utf8)) as? [String: Any]
            let list = try #require(read?["a"] as? [Any])
            #expect(list[0] as? String == text)
            #expect(list[1] is NSNull)
            #expect(list[2] as? Double == 1.5)
            #expect(
                !written.replacing("\n", with: "").unicodeScalars.contains { $0.properties.generalCategory == .control }
            )
        }
    }

    /// Guarantee: an event's line begins with its name and its time, and its facts are never absent.
    @Test func eventsAreLines() throws {
        let event = RunEvent.executionFinished(
            tenant: nil, identity: Identity(runbook: "r", key: "1"), state: .succeeded, rowsAffected: 3, durationMS: 5,
            failure: nil)
        #expect(
            try event.json(at: Self.start).line
                == #"{"event":"execution_finished","at":"1970-01-01T00:00:00.000Z","tenant":null,"runbook":"r","key":"1","#
                + #""state":"succeeded","rows_affected":3,"duration_ms":5,"failure":null}"#)
    }

    /// Guarantee: a long list is written piece by piece, and reads as if it had been written at once.
    @Test(arguments: [0, 1, 255, 256, 5000], [true, false]) func longListsAreWrittenPiecewise(
        _ count: Int, _ isPage: Bool
    ) throws {
        var report = PlanReport()
        report.tenants = (0..<count).map { number in
            PlanReport.PlannedTenant(
                tenant: number == 3 ? nil : "t\"\(number)",
                steps: (0..<(number % 3)).map {
                    PlanReport.PlannedStep(runbook: "r\($0)", key: "1", decision: .run, reason: "é\n")
                })
        }
        let value = try ReportEncoder.value(of: report)
        var pieces: [String] = []
        try ReportEncoder.write(report, isPage: isPage) { pieces.append($0) }
        #expect(pieces.joined() == (isPage ? value.page : value.line))
        #expect((pieces.count > 1) == (count == 5000))
        #expect(pieces.allSatisfy { $0.utf8.count < 1 << 17 })
    }
}
