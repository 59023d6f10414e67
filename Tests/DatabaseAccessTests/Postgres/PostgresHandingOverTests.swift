import DatabaseAccess
import PostgresAccess
import TestSupport
import Testing

/// Connections that are begun before their owner is there, and ended behind him.
@Suite struct PostgresHandingOverTests {
    private static let pids = """
        SELECT pid FROM pg_catalog.pg_stat_activity
        WHERE application_name = 'muster/handed' AND datname = current_database() ORDER BY pid
        """
    private static let abandoned =
        "SELECT sessions_abandoned FROM pg_catalog.pg_stat_database WHERE datname = current_database()"
    private static let options = SessionOptions(applicationName: "muster/handed")

    /// Guarantee: a connection that was left to the end of the process stands until then, and is ended as the protocol
    /// wants it: the server counts no session as abandoned.
    @Test(.needsPostgres) func partedSessionsEndTogether() async throws {
        try await PostgresServer.withDatabase { url in
            let watcher = try PostgresServer.open(url)
            defer { watcher.close() }
            let partings = PostgresPartings()
            let sessions = try (0..<3).map { _ in try PostgresSession.open(url, Self.options) }
            let pids = sessions.compactMap(\.backendPID).sorted()

            for session in sessions { partings.take(session) }

            #expect(sessions.allSatisfy { !$0.isUsable })
            #expect(throws: DatabaseError.self) { try sessions[0].run("SELECT 1") }
            // Taken once: the second time there is nothing.
            partings.take(sessions[0])
            #expect(try Self.seen(watcher) == pids)
            partings.end()
            partings.end()
            #expect(try await eventually { try Self.seen(watcher).isEmpty })
            #expect(try watcher.row(Self.abandoned)?[0].integer == 0)
        }
    }

    /// Guarantee: sessions are opened over the connections that were begun for them, each once; others make their own.
    @Test(.needsPostgres) func begunConnectionsAreUsed() async throws {
        try await PostgresServer.withDatabase { url in
            let watcher = try PostgresServer.open(url)
            defer { watcher.close() }
            let ahead = PostgresAhead()
            // Where it is slow to begin one, or not known to be quick, nobody is held up by it.
            ahead.begin(3, to: url, Self.options)
            ahead.note(.seconds(1), of: url)
            ahead.begin(3, to: url, Self.options)
            try await Task.sleep(for: .milliseconds(100))
            #expect(try Self.seen(watcher).isEmpty)
            ahead.note(.milliseconds(1), of: url)
            ahead.begin(3, to: url, Self.options)
            #expect(try await eventually { try Self.seen(watcher).count == 3 })
            let begun = Set(try Self.seen(watcher))

            let other = try PostgresSession.open(url, SessionOptions(applicationName: "muster/other"), from: ahead)
            defer { other.close() }
            #expect(!begun.contains(try #require(other.backendPID)))
            let sessions = try (0..<3).map { _ in try PostgresSession.open(url, Self.options, from: ahead) }
            defer { for session in sessions { session.close() } }
            #expect(Set(sessions.compactMap(\.backendPID)) == begun)
            for session in sessions {
                #expect(try session.row("SELECT current_setting('application_name')")?[0].text == "muster/handed")
            }
            let fourth = try PostgresSession.open(url, Self.options, from: ahead)
            defer { fourth.close() }
            #expect(!begun.contains(try #require(fourth.backendPID)))
        }
    }

    /// Guarantee: a connection that was lost before anybody came for it is no failure, and one that nobody came for ends.
    @Test(.needsPostgres) func lostAndForgottenConnectionsHarmNobody() async throws {
        try await PostgresServer.withDatabase { url in
            let watcher = try PostgresServer.open(url)
            defer { watcher.close() }
            let ahead = PostgresAhead()
            ahead.note(.zero, of: url)
            ahead.begin(2, to: url, Self.options)
            #expect(try await eventually { try Self.seen(watcher).count == 2 })
            let begun = try Self.seen(watcher)
            for pid in begun { _ = try watcher.row("SELECT pg_terminate_backend($1)", [DatabaseValue(pid)]) }
            #expect(try await eventually { try Self.seen(watcher).isEmpty })

            let session = try PostgresSession.open(url, Self.options, from: ahead)
            #expect(try session.row("SELECT 1")?[0].integer == 1)
            session.close()

            ahead.begin(2, to: url, Self.options)
            #expect(try await eventually { try Self.seen(watcher).count == 2 })
            ahead.end()
            #expect(try await eventually { try Self.seen(watcher).isEmpty })
            #expect(try watcher.row(Self.abandoned)?[0].integer == 0)
            // Where no server is, nothing is begun, and who opens a session hears why.
            let nowhere = try ConnectionURL(parsing: "postgres://nobody@/nothing?host=/nonexistent")
            ahead.note(.zero, of: nowhere)
            ahead.begin(2, to: nowhere, Self.options)
            #expect(throws: DatabaseError.self) { try PostgresSession.open(nowhere, Self.options, from: ahead) }
            ahead.end()
        }
    }

    private static func seen(_ watcher: any DatabaseSession) throws -> [Int] {
        try watcher.rows(pids).compactMap { $0[0].integer }
    }
}
