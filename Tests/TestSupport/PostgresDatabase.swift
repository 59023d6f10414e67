package import Foundation
import Testing

/// A PostgreSQL database of one test, spoken to with psql: the judge shares no code with what it judges.
package final class PostgresDatabase: Sendable {
    package let name: String
    package let url: String

    /// What `ci/with-postgres` says about its server; nil when there is none.
    package static let server = ProcessInfo.processInfo.environment["MUSTER_TEST_POSTGRES"]

    /// A database of another server, which the caller has made.
    package init(name: String, url: String) {
        self.name = name
        self.url = url
    }

    private init(name: String) throws {
        guard let server = Self.server, let place = server.range(of: "/postgres?") else {
            throw CommandFailure("MUSTER_TEST_POSTGRES is not set; run the tests under ci/with-postgres")
        }
        self.name = name
        url = server.replacingCharacters(in: place, with: "/\(name)?")
    }

    /// Runs `body` with a new database, a copy of `template` if there is one.
    package static func with(
        template: PostgresDatabase? = nil, _ body: (PostgresDatabase) async throws -> Void
    ) async throws {
        let database = try await make(template: template)
        do {
            try await body(database)
        } catch {
            try? await database.drop()
            throw error
        }
        try await database.drop()
    }

    package static func make(template: PostgresDatabase? = nil) async throws -> PostgresDatabase {
        let database = try PostgresDatabase(name: "muster_it_\(UUID().uuidString.prefix(8).lowercased())")
        try await administer("CREATE DATABASE \(database.name) TEMPLATE \(template?.name ?? "template0")")
        return database
    }

    /// A second name for a copy of this database, dropped by the caller.
    package func copy() async throws -> PostgresDatabase { try await Self.make(template: self) }

    package func drop() async throws { try await Self.administer("DROP DATABASE IF EXISTS \(name) WITH (FORCE)") }

    package static func administer(_ sql: String) async throws {
        try await Command("psql", try #require(server), "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql).output()
    }

    /// Runs a script as psql does by hand, and gives what it printed: unaligned, tuples only.
    @discardableResult
    package func psql(_ script: String, folder: URL? = nil) async throws -> String {
        try await Command("psql", url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-", folder: folder, input: script)
            .output()
    }

    package func lines(_ query: String) async throws -> [String] {
        try await psql(query).split(separator: "\n").map(String.init)
    }

    /// The whole database as SQL; without the ledger unless asked.
    package func dump(schemaOnly: Bool = false, ledger: Bool = false) async throws -> String {
        let text = try await Command(
            ["pg_dump", url, "--no-comments"] + (schemaOnly ? ["--schema-only"] : [])
                + (ledger ? [] : ["--exclude-schema=muster"])
        ).output()
        // Since the security releases of August 2025 each dump carries a random key for psql.
        return text.split(separator: "\n")
            .filter { !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict") }.joined(separator: "\n")
    }
}
