import DatabaseAccess
import Foundation
import TestSupport
import Testing

@Suite(.needsPostgres) struct PostgresConnectingTests {
    @Test func ourSettingsHoldWhateverTheURLSays() async throws {
        let url = try PostgresServer.url("application_name=theirs", "client_encoding=LATIN1")
        let session = try PostgresServer.open(url, as: "muster/runner-7")
        defer { session.close() }
        #expect(try session.text("SELECT current_setting('application_name')") == "muster/runner-7")
        #expect(try session.text("SELECT current_setting('client_encoding')") == "UTF8")
        #expect(try session.text("SELECT 'ä🙂'") == "ä🙂")
    }

    /// Without a pooler between, both name the same process.
    @Test func theBackendsPIDIsKnown() async throws {
        let session = try PostgresServer.open(PostgresServer.url)
        defer { session.close() }
        #expect(session.backendPID != nil)
        #expect(try session.integer("SELECT pg_backend_pid()") == session.backendPID)
    }

    @Test func whatTheServerRefusesIsRejectedWithItsState() async throws {
        try await PostgresServer.withDatabase { url in
            let admin = try PostgresServer.open(url)
            defer { admin.close() }
            let role = "muster_guest_\(UInt32.random(in: 0...UInt32.max))"
            let database = try #require(try admin.text("SELECT current_database()"))
            try admin.run("CREATE ROLE \(role) LOGIN; REVOKE CONNECT ON DATABASE \(database) FROM public")
            defer { try? admin.run("DROP ROLE \(role)") }
            let cases = [
                ("dbname=muster_nowhere", "3D000"), ("user=muster_nobody", "28000"),
                ("dbname=\(database)&user=\(role)", "42501"),
            ]
            for (parameters, state) in cases {
                let url = try PostgresServer.url(parameters)
                let error = try #require(throws: DatabaseError.self) { try PostgresServer.open(url) }
                #expect(error.code == .rejected)
                #expect(error.sqlState == state)
                #expect(error.message.hasPrefix("refused by \(url): connection to server on socket"))
                #expect(!error.message.contains("LOCATION") && !error.message.contains("\n"))
                #expect(!error.message.contains(state))
            }
        }
    }

    @Test func aFullServerIsUnreachableForNow() async throws {
        try await PostgresServer.withDatabase { url in
            let admin = try PostgresServer.open(url)
            defer { admin.close() }
            let role = "muster_guest_\(UInt32.random(in: 0...UInt32.max))"
            try admin.run("CREATE ROLE \(role) LOGIN CONNECTION LIMIT 0")
            defer { try? admin.run("DROP ROLE \(role)") }
            let url = try PostgresServer.url("user=\(role)")
            let error = try #require(throws: DatabaseError.self) { try PostgresServer.open(url) }
            #expect(error.code == .unreachable)
            #expect(error.sqlState == "53300")
        }
    }

    /// The role muster_password is the one that ci/with-postgres lets in by password only.
    @Test func aWrongPasswordIsRejectedAndNeverShown() async throws {
        let admin = try PostgresServer.open(PostgresServer.url)
        defer { admin.close() }
        let role = "muster_guest_\(UInt32.random(in: 0...UInt32.max))"
        try admin.run(
            """
            DO $$ BEGIN CREATE ROLE muster_password; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;
            CREATE ROLE \(role) LOGIN PASSWORD 'right/one' IN ROLE muster_password
            """)
        defer { try? admin.run("DROP ROLE \(role)") }

        let session = try PostgresServer.open(PostgresServer.url("user=\(role)", "password=right%2Fone"))
        #expect(try session.text("SELECT current_user") == role)
        session.close()

        let url = try PostgresServer.url("user=\(role)", "password=hunter2%2Fx")
        let error = try #require(throws: DatabaseError.self) { try PostgresServer.open(url) }
        #expect(error.code == .rejected)
        #expect(error.sqlState == "28P01")
        #expect(error.message.contains("password authentication failed for user \"\(role)\""))
        #expect(!String(reflecting: error).contains("hunter2"))
        #expect(error.message.contains("password=****"))

        let missing = try #require(throws: DatabaseError.self) {
            try PostgresServer.open(PostgresServer.url("user=\(role)"))
        }
        #expect(missing.message.contains("no password supplied"))
    }

    @Test(arguments: [
        "postgres://me:hunter2@127.0.0.1:1/app", "postgres://me:hunter2@nowhere.invalid/app",
        "postgres:///app?host=/nowhere/hunter2&password=hunter2", "postgres:///app?password=hunter2&sslmode=nonsense",
        "postgres://me:hunter2@127.0.0.1:hunter2x/app", "postgres:///app?hunter=hunter2",
        "postgres://me:hunter2@127.0.0.1:99999/app",
    ])
    func noPasswordIsShownWhateverIsWrong(_ text: String) throws {
        let url = ConnectionURL(dialect: .postgresql, revealed: text, path: nil)
        let error = try #require(throws: DatabaseError.self) { try PostgresServer.open(url) }
        #expect(error.code == .unreachable)
        #expect(!String(reflecting: error).replacing("/nowhere/hunter2", with: "").contains("hunter2"))
        #expect(!error.message.isEmpty && !error.message.contains("\n"))
    }

    @Test func anAddressIsNamedWhenNobodyListens() throws {
        let url = try ConnectionURL(parsing: "postgres://me@127.0.0.1:1/app")
        let error = try #require(throws: DatabaseError.self) { try PostgresServer.open(url) }
        #expect(error.code == .unreachable)
        #expect(
            error.message.hasPrefix(
                "cannot reach postgres://me@127.0.0.1:1/app: connection to server at \"127.0.0.1\", port 1 failed"))
        #expect(error.hint == "Is the server running on that host and accepting TCP/IP connections?")
    }

    @Test func aSilentServerIsGivenUpInTime() async throws {
        try await PostgresProxy.with(isSilent: true) { proxy in
            let start = ContinuousClock.now
            let url = try proxy.url("connect_timeout=2")
            let error = try #require(throws: DatabaseError.self) { try PostgresServer.open(url) }
            #expect(error.code == .unreachable)
            #expect(error.message.hasSuffix("(an address gave no answer within 2 s)"))
            #expect((.seconds(2) ... .seconds(20)).contains(ContinuousClock.now - start))
        }
    }

    /// A host that swallows connections is left for the next one, as libpq itself would.
    @Test func aBlackHoleIsLeftForTheNextHost() async throws {
        let hole = try BlackHole()
        let environment = ProcessInfo.processInfo.environment
        let host = try #require(environment["PGHOST"])
        let port = try #require(environment["PGPORT"])
        let url = try ConnectionURL(
            parsing:
                "postgres:///postgres?host=127.0.0.1,\(host)&port=\(hole.port),\(port)&user=postgres&connect_timeout=2"
        )
        let session = try PostgresServer.open(url)
        defer { session.close() }
        #expect(try session.integer("SELECT 1") == 1)
        hole.close()
    }
}
