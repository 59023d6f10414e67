import DatabaseAccess
import PostgresAccess
import TestSupport
import Testing

/// The end of a connection.
@Suite struct PostgresClosingTests {
    private static let isThere = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE pid = $1"

    /// Guarantee: behind `closeAndWait` the server does not count the connection any more, also when its end takes long:
    /// here two hundred temporary tables are dropped first.
    @Test(.needsPostgres) func serverHasLetGo() async throws {
        try await PostgresServer.withDatabase { url in
            let watcher = try PostgresServer.open(url)
            defer { watcher.close() }
            for _ in 0..<3 {
                let session = try PostgresServer.open(url)
                try session.run(
                    """
                    DO $$ BEGIN FOR i IN 1..200 LOOP
                        EXECUTE format('CREATE TEMP TABLE t%s (id int)', i);
                    END LOOP; END $$
                    """)
                let backend = try #require(session.backendPID)
                #expect(try watcher.row(Self.isThere, [DatabaseValue(backend)])?[0].integer == 1)

                session.closeAndWait()

                #expect(try watcher.row(Self.isThere, [DatabaseValue(backend)])?[0].integer == 0)
                #expect(!session.isUsable)
                session.closeAndWait()
            }
        }
    }

    /// Guarantee: from within a closure that is lent a row it takes effect behind the message, and nobody waits for ever.
    @Test(.needsPostgres) func closingWhileBusyIsForLater() async throws {
        try await PostgresServer.withSession { session in
            var rows = 0
            try session.query("SELECT generate_series(1, 3)", []) { row throws(DatabaseError) in
                rows += 1
                session.closeAndWait()
            }
            #expect(rows == 3)
            #expect(!session.isUsable)
        }
    }
}
