import DatabaseAccess
import Foundation
import TestSupport
import Testing

/// A connection that goes away never ends as success, and is known to be gone.
@Suite(.needsPostgres) struct PostgresLossTests {
    private func expectLost(_ session: any DatabaseSession) throws {
        #expect(!session.isUsable)
        #expect(!session.isInTransaction)
        let error = try #require(throws: DatabaseError.self) { try session.execute("SELECT 1") }
        #expect(error.code == .connectionLost)
        session.interrupter.interrupt()
        session.close()
    }

    @Test func aTerminatedBackendIsALostConnection() async throws {
        let session = try PostgresServer.open(PostgresServer.url)
        let error = try #require(throws: DatabaseError.self) {
            try session.run("BEGIN; SELECT 1; SELECT pg_terminate_backend(pg_backend_pid()); SELECT pg_sleep(60)")
        }
        #expect(error.code == .connectionLost)
        #expect(error.sqlState == "57P01")
        #expect(error.resultsBefore >= 2)
        try expectLost(session)
    }

    @Test func aBackendTerminatedBetweenStatementsIsALostConnection() async throws {
        let session = try PostgresServer.open(PostgresServer.url)
        let other = try PostgresServer.open(PostgresServer.url)
        defer { other.close() }
        let pid = try #require(session.backendPID)
        try other.execute("SELECT pg_terminate_backend($1)", [DatabaseValue(pid)])
        #expect(
            try await eventually {
                try other.integer("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", [DatabaseValue(pid)]) == 0
            })
        let error = try #require(throws: DatabaseError.self) { try session.run("SELECT 1") }
        #expect(error.code == .connectionLost)
        try expectLost(session)
    }

    @Test func aBackendTerminatedAmongSeveralStatementsIsALostConnection() async throws {
        for deadly in ["begin", "enqueued", "asked", "commit"] {
            let session = try PostgresServer.open(PostgresServer.url)
            let die = "SELECT pg_terminate_backend(pg_backend_pid())"
            let error = try #require(throws: DatabaseError.self, "\(deadly)") {
                try session.withTransaction(deadly == "begin" ? ["BEGIN", die] : ["BEGIN"]) {
                    () throws(DatabaseError) in
                    if deadly == "enqueued" { try session.enqueue(die, []) }
                    try session.enqueue("SELECT 1", [])
                    _ = try session.rows(deadly == "asked" ? die : "SELECT 2")
                    if deadly == "commit" { try session.enqueue(die, []) }
                }
            }
            #expect(error.code == .connectionLost, "\(deadly)")
            #expect(error.sqlState == "57P01", "\(deadly)")
            try expectLost(session)
        }
    }

    @Test func aConnectionCutInMidStatementIsLost() async throws {
        try await PostgresProxy.with { proxy in
            let session = try PostgresServer.open(proxy.url())
            let pid = try #require(session.backendPID)
            let thread = Thread {
                guard let url = try? PostgresServer.url, let watcher = try? PostgresServer.open(url) else { return }
                defer { watcher.close() }
                let question = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'"
                while (try? watcher.integer(question, [DatabaseValue(pid)])) == 0 {
                    Thread.sleep(forTimeInterval: 0.005)
                }
                proxy.cut()
            }
            thread.start()
            var answered = 0
            let error = try #require(throws: DatabaseError.self) {
                try session.run("BEGIN; SELECT 1; SELECT pg_sleep(600)", as: nil) { _, _ in answered += 1 }
            }
            #expect(try await eventually { thread.isFinished })
            #expect(error.code == .connectionLost)
            #expect(error.sqlState == nil)
            #expect(error.message == "server closed the connection unexpectedly")
            #expect(error.resultsBefore == answered)
            try expectLost(session)
        }
    }

    @Test func aConnectionCutAmongRowsIsLost() async throws {
        try await PostgresProxy.with { proxy in
            let session = try PostgresServer.open(proxy.url())
            var rows = 0
            let error = try #require(throws: DatabaseError.self) {
                try session.query("SELECT generate_series(1, 10000000)", []) { row throws(DatabaseError) in
                    rows += 1
                    if rows == 1000 { proxy.cut() }
                }
            }
            #expect(error.code == .connectionLost)
            #expect(rows < 10_000_000)
            try expectLost(session)
        }
    }

    @Test(arguments: [
        "COPY (SELECT generate_series(1, 10000000)) TO STDOUT", "CREATE TEMP TABLE t (n int); COPY t FROM STDIN",
    ])
    func aConnectionCutInsideACopyDoesNotHang(_ text: String) async throws {
        try await PostgresProxy.with { proxy in
            let session = try PostgresServer.open(proxy.url())
            let thread = Thread {
                Thread.sleep(forTimeInterval: 0.3)
                proxy.cut()
            }
            thread.start()
            #expect(throws: DatabaseError.self) { try session.run(text) }
            #expect(try await eventually { thread.isFinished })
            #expect(throws: DatabaseError.self) { try session.run("SELECT 1; SELECT 2") }
            session.close()
        }
    }

    /// The server commits, and the client cannot know it.
    @Test func aCommitWhoseAnswerIsLostIsALostConnection() async throws {
        try await PostgresServer.withDatabase { url in
            let witness = try PostgresServer.open(url)
            defer { witness.close() }
            try witness.run("CREATE TABLE t (n int)")
            let database = try #require(try witness.text("SELECT current_database()"))
            try await PostgresProxy.with { proxy in
                let session = try PostgresServer.open(proxy.url("dbname=\(database)"))
                try session.run("BEGIN; INSERT INTO t VALUES (1)")
                proxy.dropAnswers()
                let thread = Thread {
                    guard let watcher = try? PostgresServer.open(url) else { return }
                    defer { watcher.close() }
                    while (try? watcher.integer("SELECT count(*) FROM t")) == 0 { Thread.sleep(forTimeInterval: 0.005) }
                    proxy.cut()
                }
                thread.start()
                let error = try #require(throws: DatabaseError.self) { try session.run("COMMIT") }
                #expect(error.code == .connectionLost)
                #expect(error.resultsBefore == 0)
                #expect(try await eventually { thread.isFinished })
                #expect(try witness.integer("SELECT count(*) FROM t") == 1)
                try expectLost(session)
            }
        }
    }

    /// Interrupts may come at any moment of a session's life, from any thread.
    @Test func interruptsAtEveryMomentAreHarmless() async throws {
        let isEnded = Flag()
        defer { isEnded.set() }
        for round in 0..<20 {
            let session = try PostgresServer.open(PostgresServer.url)
            let interrupter = session.interrupter
            let isClosed = Flag()
            let thread = Thread { while !isClosed.isSet && !isEnded.isSet { interrupter.interrupt() } }
            thread.start()
            for number in 0..<20 {
                do {
                    let answer = try session.integer("SELECT $1::int", [DatabaseValue(number)])
                    #expect(answer == number)
                } catch let error as DatabaseError {
                    #expect(error.code == .interrupted, "round \(round)")
                }
            }
            session.close()
            interrupter.interrupt()
            isClosed.set()
            #expect(try await eventually { thread.isFinished })
        }
    }
}
