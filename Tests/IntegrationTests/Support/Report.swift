import Foundation

/// `muster.report/1` as somebody else reads it: from the contract, not from Muster's own types.
struct Report: Decodable, Sendable {
    var schema: String
    var ok: Bool
    var exitCode: Int
    var outcome: String
    var nothingToDo: Bool
    var retryable: Bool
    var run: Run?
    var counts: Counts
    var runbooks: [RunbookSummary]
    var failures: [Failure]
    var causes: [Cause]
    var error: Problem?
    var notices: [String]
    var next: String?

    struct Run: Decodable, Sendable {
        var id: String
        var joined: Bool
    }

    struct Counts: Decodable, Sendable, Equatable {
        var total: Int
        var processed: Int
        var succeeded: Int
        var skipped: Int
        var failed: Int
        var blocked: Int
        var unknown: Int
        var cancelled: Int
    }

    struct RunbookSummary: Decodable, Sendable {
        var id: String
        var counts: Counts
        var rowsAffected: Int
    }

    struct Failure: Decodable, Sendable {
        var tenant: String?
        var runbook: String?
        var state: String
        var reason: String?
        var clean: Bool?
        var sqlstate: String?
        var message: String
        var file: String?
        var line: Int?
        var statement: String?
    }

    struct Cause: Decodable, Sendable {
        var count: Int
        var sqlstate: String?
        var sampleTenants: [String]
    }

    struct Problem: Decodable, Sendable {
        var code: String
        var message: String
    }

    /// - Throws: what the program printed, when it is no document.
    init(_ ending: Ending) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(Report.self, from: Data(ending.output.utf8))
        } catch {
            throw CommandFailure("stdout is no muster.report/1: \(error)\n\(ending)")
        }
    }
}
