import Foundation

/// `muster.report/1` as somebody else reads it: from the contract, not from Muster's own types.
package struct PrintedReport: Decodable, Sendable {
    package var schema: String
    package var ok: Bool
    package var exitCode: Int
    package var outcome: String
    package var nothingToDo: Bool
    package var retryable: Bool
    package var run: Run?
    package var counts: Counts
    package var runbooks: [RunbookSummary]
    package var failures: [Failure]
    package var causes: [Cause]
    package var hooks: [Hook]
    package var error: Problem?
    package var notices: [String]
    package var next: String?

    package struct Run: Decodable, Sendable {
        package var id: String
        package var joined: Bool
    }

    package struct Counts: Decodable, Sendable, Equatable {
        package var total: Int
        package var processed: Int
        package var succeeded: Int
        package var skipped: Int
        package var failed: Int
        package var blocked: Int
        package var unknown: Int
        package var cancelled: Int
    }

    package struct RunbookSummary: Decodable, Sendable {
        package var id: String
        package var counts: Counts
        package var rowsAffected: Int
    }

    package struct Failure: Decodable, Sendable {
        package var tenant: String?
        package var runbook: String?
        package var state: String
        package var reason: String?
        package var clean: Bool?
        package var sqlstate: String?
        package var message: String
        package var hint: String?
        package var file: String?
        package var line: Int?
        package var statement: String?
    }

    package struct Hook: Decodable, Sendable {
        package var hook: String
        package var tenant: String?
        package var state: String
        package var exitCode: Int?
        package var message: String?
        package var output: String?
        package var attempts: Int
        package var runId: String
    }

    package struct Cause: Decodable, Sendable {
        package var count: Int
        package var sqlstate: String?
        package var sampleTenants: [String]
    }

    package struct Problem: Decodable, Sendable {
        package var code: String
        package var message: String
    }

    /// - Throws: what the program printed, when it is no document.
    package init(_ ending: Ending) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(PrintedReport.self, from: Data(ending.output.utf8))
        } catch {
            throw CommandFailure("stdout is no muster.report/1: \(error)\n\(ending)")
        }
    }
}
