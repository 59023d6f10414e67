import Foundation
import Reporting
import RunbookModel
import Testing

@Suite struct MaskerTests {
    /// Guarantee: neither a secret, nor the password inside a URL, written or meant, stays in a text.
    @Test(arguments: [
        ("connection to postgres://u:s3cr%40t@db/x failed", "connection to **** failed"),
        ("password \"s3cr@t\" was wrong", "password \"****\" was wrong"),
        ("raw s3cr%40t", "raw ****"),
        ("dsn postgres://other:hidden@elsewhere/db", "dsn postgres://other:****@elsewhere/db"),
        ("host=db password=hunter2 user=x", "host=db password=**** user=x"),
        ("host=db password = 'it''s \\' long' user=x", "host=db password = ****'s \\' long' user=x"),
        ("region eu, not europe or neu", "region ****, not europe or neu"),
        ("eu", "****"), ("nothing to see", "nothing to see"), ("", ""),
    ])
    func secretsAreMasked(_ text: String, _ expected: String) {
        let masker = Masker([Redacted("postgres://u:s3cr%40t@db/x"), Redacted("eu"), Redacted("")])
        #expect(masker(text) == expected)
    }

    /// Guarantee: a secret that holds another one is masked whole.
    @Test func longerSecretsGoFirst() {
        #expect(Masker([Redacted("abcdef"), Redacted("abcdefghi")])("x abcdefghi y") == "x **** y")
    }

    /// Guarantee: every field of a report that may hold words from outside is masked.
    @Test func reportsAreMasked() throws {
        let secret = "topsecret"
        let failure = Failure(
            tenant: "t", runbook: "r", key: "1", state: "failed", message: secret, detail: secret, hint: secret,
            statement: secret)
        let report = Report(
            command: "apply", ok: false, exitCode: 1, outcome: .failed, failures: [failure],
            causes: [
                Cause(count: 1, runbook: nil, sqlstate: nil, message: secret, file: nil, line: nil, sampleTenants: [])
            ], notices: [secret], error: ReportError(code: "internal", message: secret), startedAt: .now,
            finishedAt: .now, durationMS: 0)
        let masker = Masker([Redacted(secret)])
        #expect(!(try ReportEncoder.value(of: masker(report)).line.contains(secret)))
        let events: [RunEvent] = [
            .message(secret), .summary(report),
            .executionFinished(
                tenant: "t", identity: Identity(runbook: "r", key: "1"), state: .failed, rowsAffected: 0, durationMS: 1,
                failure: failure),
        ]
        for event in events {
            #expect(!(try masker(event).json(at: .now).line.contains(secret)))
        }
    }
}
