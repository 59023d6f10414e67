import DatabaseAccess
import SQLiteAccess
import TestSupport
import Testing

/// An engine that the session contract is tried on, with what its SQL says differently.
enum ContractEngine: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case postgresql
    case sqlite

    /// The engines this machine has.
    static var available: [ContractEngine] {
        allCases.filter { $0 != .postgresql || PostgresServer.isExpected }
    }

    var testDescription: String { rawValue }

    /// Lends a way to open sessions on one new, empty database; they are closed afterwards.
    func withDatabase(_ body: (() throws -> any DatabaseSession) async throws -> Void) async throws {
        switch self {
        case .postgresql:
            try await PostgresServer.withDatabase { url in try await body { try PostgresServer.open(url) } }
        case .sqlite:
            let folder = try SQLiteFolder()
            try await body { try folder.open() }
        }
    }

    /// Lends one session on a new, empty database.
    func withSession(_ body: (any DatabaseSession) async throws -> Void) async throws {
        try await withDatabase { open in
            let session = try open()
            defer { session.close() }
            try await body(session)
        }
    }

    /// The place of the n-th parameter.
    func parameter(_ number: Int) -> String {
        switch self {
        case .postgresql: "$\(number)"
        case .sqlite: "?\(number)"
        }
    }

    var blobType: String {
        switch self {
        case .postgresql: "bytea"
        case .sqlite: "blob"
        }
    }

    /// A statement that runs for minutes unless it is stopped.
    var endlessStatement: String {
        switch self {
        case .postgresql: "SELECT pg_sleep(600)"
        case .sqlite: "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
        }
    }

    /// One row for each number from 1 on.
    func numbers(upTo count: Int) -> String {
        switch self {
        case .postgresql: "SELECT n FROM generate_series(1, \(count)) AS n"
        case .sqlite:
            "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < \(count)) SELECT n FROM c"
        }
    }
}
