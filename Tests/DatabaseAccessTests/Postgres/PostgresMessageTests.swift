import DatabaseAccess
import TestSupport
import Testing

@Suite(.needsPostgres) struct PostgresMessageTests {
    /// Neither side may wait for the other to read.
    @Test func manyLargeStatementsGoAtOnce() async throws {
        try await PostgresServer.withSession { session in
            try session.run("CREATE TABLE t (n int, body text)")
            let body = String(repeating: "x", count: 1 << 20)
            try session.withTransaction(["BEGIN"]) { () throws(DatabaseError) in
                for n in 0..<40 {
                    try session.enqueue(
                        "INSERT INTO t VALUES ($1, $2) RETURNING body", [DatabaseValue(n), .text(body)])
                }
            }
            #expect(try session.integer("SELECT count(*) FROM t WHERE length(body) = 1048576") == 40)
            var seen = 0
            try session.query(
                "SELECT body FROM t", [], inTransaction: ["BEGIN", "SELECT repeat('y', 1000000)"], endedBy: ["COMMIT"]
            ) {
                row throws(DatabaseError) in seen += row[0].text?.utf8.count ?? 0
            }
            #expect(seen == 40 << 20)
        }
    }

    @Test func copyFromStdinIsEndedWithARemedy() async throws {
        try await PostgresServer.withSession { session in
            try session.run("CREATE TABLE t (n int)")
            var answered = 0
            let error = try #require(throws: DatabaseError.self) {
                try session.run("BEGIN; SELECT 1; COPY t FROM STDIN; INSERT INTO t VALUES (1)", as: nil) { _, _ in
                    answered += 1
                }
            }
            #expect(answered == 2)
            #expect(error.code == .refused)
            #expect(error.resultsBefore == 2)
            #expect(error.message.contains("COPY … FROM STDIN"))
            #expect(error.hint?.contains("INSERT") == true)
            #expect(session.isInTransaction)
            try session.run("ROLLBACK")
            #expect(throws: DatabaseError.self) { try session.execute("COPY t FROM STDIN (FORMAT binary)") }
            #expect(try session.integer("SELECT count(*) FROM t") == 0)
        }
    }

    @Test func copyToStdoutIsDrainedWithARemedy() async throws {
        try await PostgresServer.withSession { session in
            var tags: [String] = []
            let error = try #require(throws: DatabaseError.self) {
                try session.run(
                    "CREATE TABLE t AS SELECT n, repeat('x', 100) FROM generate_series(1, 100000) n; COPY t TO STDOUT; SELECT 1",
                    as: nil
                ) { tags.append($1.tag) }
            }
            #expect(error.code == .refused)
            #expect(error.resultsBefore == 1)
            #expect(error.message.contains("COPY … TO STDOUT"))
            // The server does not wait for the client's opinion: what follows was run, and says so.
            #expect(tags == ["SELECT 100000", "COPY 100000", "SELECT 1"])
            #expect(throws: DatabaseError.self) { try session.execute("COPY t TO STDOUT (FORMAT binary)") }
            #expect(try session.integer("SELECT count(*) FROM t") == 100_000)
        }
    }

    @Test func tagsAndCountsAreTheServers() async throws {
        try await PostgresServer.withSession { session in
            var results: [StatementResult] = []
            try session.run(
                """
                BEGIN; CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 5);
                MERGE INTO t USING (VALUES (5), (6)) v (n) ON t.n = v.n WHEN MATCHED THEN DELETE
                    WHEN NOT MATCHED THEN INSERT VALUES (v.n);
                UPDATE t SET n = n + 100 RETURNING n; SELECT 1 WHERE false; VALUES (1), (2); TABLE t; COMMIT;
                ROLLBACK
                """, as: nil
            ) { results.append($1) }
            #expect(
                results.map(\.tag) == [
                    "BEGIN", "CREATE TABLE", "INSERT 0 5", "MERGE 2", "UPDATE 5", "SELECT 0", "SELECT 2", "SELECT 5",
                    "COMMIT", "ROLLBACK",
                ])
            #expect(results.map(\.rowsAffected) == [0, 0, 5, 2, 5, 0, 0, 0, 0, 0])
            #expect(results.map(\.rowCount) == [0, 0, 0, 0, 5, 0, 2, 5, 0, 0])
        }
    }

    @Test func everyFieldOfAnErrorIsKept() async throws {
        try await PostgresServer.withSession { session in
            try session.run("CREATE TABLE t (n int CONSTRAINT positive CHECK (n > 0), CONSTRAINT once UNIQUE (n))")
            try session.run("INSERT INTO t VALUES (1)")
            let twice = try #require(throws: DatabaseError.self) { try session.run("INSERT INTO t VALUES (1)") }
            #expect(twice.code == .statement)
            #expect(twice.sqlState == "23505")
            #expect(twice.constraint == "once")
            #expect(twice.table == "t")
            #expect(twice.detail == "Key (n)=(1) already exists.")
            #expect(twice.position == nil)

            let raised = try #require(throws: DatabaseError.self) {
                try session.run(
                    "DO $$ BEGIN RAISE 'first\nsecond' USING ERRCODE = 'MU001', DETAIL = 'd', HINT = 'h'; END $$")
            }
            #expect(raised.sqlState == "MU001")
            #expect(raised.message == "first")
            #expect(raised.detail == "second\nd")
            #expect(raised.hint == "h")
            #expect(raised.context?.contains("line 1 at RAISE") == true)
            #expect("\(raised)" == "first (SQLSTATE MU001)")

            let inner = try #require(throws: DatabaseError.self) {
                try session.run("DO $$ BEGIN EXECUTE 'SELEC 1'; END $$")
            }
            #expect(inner.sqlState == "42601")
            #expect(inner.context?.contains("QUERY: SELEC 1") == true)
        }
    }

    @Test func anyAmountOfErrorTextIsCut() async throws {
        try await PostgresServer.withSession { session in
            let error = try #require(throws: DatabaseError.self) {
                try session.run("DO $$ BEGIN RAISE '%', repeat('ä', 10000000); END $$")
            }
            #expect((1000..<20000).contains(error.message.utf8.count))
            #expect(error.message.hasPrefix("ää"))
        }
    }

    @Test func aNULInATextIsRefusedBeforeAnythingIsSent() async throws {
        try await PostgresServer.withSession { session in
            let error = try #require(throws: DatabaseError.self) { try session.run("CREATE TABLE t ();\u{1F642}\0") }
            #expect(error.code == .refused)
            #expect(error.position == 20)
            #expect(throws: DatabaseError.self) { try session.execute("SELECT 1 -- \0") }
            #expect(try session.text("SELECT to_regclass('t')") == nil)
        }
    }

    @Test func aStatementTimeoutIsNoInterrupt() async throws {
        try await PostgresServer.withSession { session in
            let error = try #require(throws: DatabaseError.self) {
                try session.run("SET statement_timeout = '20ms'; SELECT pg_sleep(60)")
            }
            #expect(error.code == .statement)
            #expect(error.sqlState == "57014")
        }
    }

    @Test func noticesAreHandedOnUpToALimit() async throws {
        try await PostgresServer.withSession { session in
            var said: [String] = []
            session.onNotice = { said.append($0) }
            try session.run("DROP TABLE IF EXISTS nowhere; DO $$ BEGIN RAISE WARNING E'two\nlines'; END $$")
            #expect(said == ["NOTICE: table \"nowhere\" does not exist, skipping", "WARNING: two lines"])

            said = []
            try session.run("DO $$ BEGIN FOR i IN 1..5000 LOOP RAISE NOTICE '%', i; END LOOP; END $$")
            #expect(said.count == 101)
            #expect(said.prefix(100) == (1...100).map { "NOTICE: \($0)" }[...])
            #expect(said.last == "… 4900 more notices dropped")

            said = []
            #expect(throws: DatabaseError.self) {
                try session.execute("DO $$ BEGIN RAISE NOTICE '%', repeat('🙂', 1000000); RAISE 'end'; END $$")
            }
            #expect(said.count == 1)
            #expect(said.first?.unicodeScalars.count == 2001)

            session.onNotice = nil
            try session.run("DROP TABLE IF EXISTS nowhere")
            #expect(said.count == 1)
        }
    }

    @Test func closuresCannotDisturbTheMessageUnderWay() async throws {
        try await PostgresServer.withSession { session in
            var inner: DatabaseError?
            var rows = 0
            try session.query("SELECT generate_series(1, 100)", []) { row throws(DatabaseError) in
                rows += 1
                do throws(DatabaseError) { try session.execute("SELECT 1") } catch { inner = error }
            }
            #expect(rows == 100)
            #expect(inner?.code == .misuse)

            rows = 0
            try session.query("SELECT generate_series(1, 100)", []) { row throws(DatabaseError) in
                session.close()
                rows += 1
            }
            #expect(rows == 100)
            #expect(!session.isUsable)
        }
    }

    @Test func scriptsOfManyMegabytesKeepTheirPlaces() async throws {
        try await PostgresServer.withSession { session in
            try session.run("CREATE TABLE t (n int)")
            let inserts = (1...100_000).map { "INSERT INTO t VALUES (\($0)); -- äöü to make it longer" }
            let script = inserts.joined(separator: "\n") + "\nSELECT '\(String(repeating: "y", count: 1_000_000))';\n"
            #expect(script.utf8.count > 5_000_000)
            var count = 0
            try session.run(script, as: nil) { _, _ in count += 1 }
            #expect(count == 100_001)
            #expect(try session.integer("SELECT count(*) FROM t") == 100_000)

            let error = try #require(throws: DatabaseError.self) { try session.run(script + "SELECT nowhere") }
            #expect(error.resultsBefore == 100_001)
            #expect(error.position == script.unicodeScalars.count + 8)
            // One implicit transaction: nothing of it stayed.
            #expect(try session.integer("SELECT count(*) FROM t") == 100_000)
        }
    }

    @Test func notificationsDoNotPileUp() async throws {
        try await PostgresServer.withSession { session in
            try session.run("LISTEN news; NOTIFY news, 'x'; SELECT 1")
            try session.run("NOTIFY news, 'y'")
            #expect(try session.integer("SELECT 1") == 1)
        }
    }
}
