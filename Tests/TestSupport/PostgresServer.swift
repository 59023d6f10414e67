package import DatabaseAccess
import Foundation
import PostgresAccess
package import Testing

/// The PostgreSQL server that tests may use, named by `MUSTER_TEST_POSTGRES` (see ci/with-postgres).
package enum PostgresServer {
    /// Thrown in CI, where a missing server is a failure.
    package struct Missing: Error, CustomStringConvertible {
        package var description: String {
            "MUSTER_TEST_POSTGRES is not set; run the tests by ci/with-postgres swift test"
        }
    }

    /// Whether tests that need the server run: with one, and in CI in any case.
    package static let isExpected: Bool = {
        let environment = ProcessInfo.processInfo.environment
        if environment["MUSTER_TEST_POSTGRES"] != nil || environment["CI"] == "true" { return true }
        FileHandle.standardError.write(Data("*** PostgreSQL TESTS ARE SKIPPED: \(Missing())\n".utf8))
        return false
    }()

    /// The superuser's URL of the database `postgres`.
    package static var url: ConnectionURL {
        get throws {
            guard let text = ProcessInfo.processInfo.environment["MUSTER_TEST_POSTGRES"] else { throw Missing() }
            return try ConnectionURL(parsing: text)
        }
    }

    /// The server's URL with more parameters, percent-encoded already: `dbname=other`, `user=somebody`.
    package static func url(_ parameters: String...) throws -> ConnectionURL {
        let text = try url.revealed
        let all = parameters.joined(separator: "&")
        return try ConnectionURL(parsing: "\(text)\(text.contains("?") ? "&" : "?")\(all)")
    }

    package static func open(
        _ url: ConnectionURL, as applicationName: String = "muster/test"
    ) throws -> any DatabaseSession {
        try PostgresSession.open(url, SessionOptions(applicationName: applicationName))
    }

    /// Lends a new, empty database of a unique name and drops it afterwards, whoever is still connected.
    package static func withDatabase<Answer>(
        _ body: (ConnectionURL) async throws -> Answer
    ) async throws -> Answer {
        let name = "muster_test_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
        let server = try open(url)
        defer { server.close() }
        try server.run("CREATE DATABASE \(name) TEMPLATE template0")
        do {
            let answer = try await body(url("dbname=\(name)"))
            try server.run("DROP DATABASE \(name) WITH (FORCE)")
            return answer
        } catch {
            try? server.run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
            throw error
        }
    }

    /// Lends a session on a new database.
    package static func withSession<Answer>(
        _ body: (any DatabaseSession) async throws -> Answer
    ) async throws -> Answer {
        try await withDatabase { url in
            let session = try open(url)
            defer { session.close() }
            return try await body(session)
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests that need PostgreSQL: skipped without a server, and failed in CI.
    package static var needsPostgres: Self {
        .enabled(if: PostgresServer.isExpected, "MUSTER_TEST_POSTGRES is not set")
    }
}
