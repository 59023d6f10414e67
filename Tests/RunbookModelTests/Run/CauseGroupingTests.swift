import RunbookModel
import Testing

struct CauseGroupingTests {
    private func failure(
        _ message: String, tenant: String? = "t", runbook: String? = "r", sqlstate: String? = "23505",
        file: String? = "f.sql", line: Int? = 1
    ) -> Failure {
        Failure(
            tenant: tenant, runbook: runbook, key: "1", state: "failed", sqlstate: sqlstate, message: message,
            file: file, line: line)
    }

    @Test("failures that differ in quoted texts and numbers alone are one cause, shown without them")
    func groups() {
        let failures = (["acme", "beta", "gamma", "delta"] as [String]).enumerated().map { index, tenant in
            failure("relation \"\(tenant).users\" has \(index * 17) rows, not 'it''s \(index)'", tenant: tenant)
        }
        let causes = CauseGrouping(failures).causes
        #expect(causes.count == 1)
        #expect(causes.first?.count == 4)
        #expect(causes.first?.message == "relation \"…\" has # rows, not '…'")
        #expect(causes.first?.sampleTenants == ["acme", "beta", "gamma"])
        #expect(causes.first?.runbook == "r" && causes.first?.sqlstate == "23505")
        #expect(causes.first?.file == "f.sql" && causes.first?.line == 1)
    }

    @Test("a message that all tenants share is shown as it was said")
    func keepsCommonMessages() {
        let message = "duplicate key value violates unique constraint \"users_email_key1\""
        #expect(CauseGrouping([failure(message), failure(message)]).causes.map(\.message) == [message])
    }

    @Test("another runbook, state, file or line is another cause")
    func separates() {
        let failures = [
            failure("m"), failure("m", runbook: "s"), failure("m", runbook: nil), failure("m", sqlstate: "1"),
            failure("m", sqlstate: nil), failure("m", file: "g.sql"), failure("m", line: 2), failure("n"),
        ]
        #expect(CauseGrouping(failures).causes.count == failures.count)
    }

    @Test("the commonest cause comes first, equals in the order of their appearance")
    func sorts() {
        let causes = CauseGrouping(["a", "b", "c", "b", "d", "c", "b"].map { failure($0) }).causes
        #expect(causes.map(\.message) == ["b", "c", "a", "d"])
        #expect(causes.map(\.count) == [3, 2, 1, 1])
    }

    @Test("samples name each tenant once, and the workspace's own failures none")
    func samples() {
        let failures = [nil, "a", "a", nil, "b"].map { failure("m", tenant: $0) }
        #expect(CauseGrouping(failures).causes.map(\.sampleTenants) == [["a", "b"]])
    }

    @Test("each addition says how often the same failure has been seen")
    func counts() {
        var grouping = CauseGrouping()
        #expect((1...20).map { grouping.add(failure("row \($0)")) } == Array(1...20))
        #expect(grouping.add(failure("another")) == 1)
    }

    @Test(
        "messages are normalised where tenants differ, and nowhere else",
        arguments: [
            ("", ""), ("plain", "plain"), ("can't open 'x'", "can't open '…'"), ("row 12 of 3.5", "row # of #.#"),
            ("t_12.users3", "t_#.users#"), ("\"a\" \"b\"", "\"…\" \"…\""), ("'open", "'open"), ("''", "'…'"),
            ("'a''b' c", "'…' c"), ("id 123e4567-e89b-12d3-a456-426614174000 gone", "id # gone"),
            ("x123e4567-e89b-12d3-a456-426614174000", "x#e#-e#b-#d#-a#-#"), ("é'x' 'é9'", "é'x' '…'"), ("12", "#"),
        ])
    func normalises(message: String, expected: String) {
        #expect(FailureSignature(failure(message)).message == expected)
    }
}
