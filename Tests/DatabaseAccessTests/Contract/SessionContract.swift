import DatabaseAccess
import Foundation
import TestSupport
import Testing

/// What every `DatabaseSession` promises, whatever engine is behind it.
@Suite struct SessionContract {
    @Test(arguments: ContractEngine.available)
    func valuesSurviveTheWayThereAndBack(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE v (k bigint, i bigint, r double precision, t text, b \(engine.blobType))")
            let rows: [[DatabaseValue]] = [
                [
                    .integer(.max), .real(0.1), .text("it's; \"quoted\" \\ $1 ?1\n\u{0301}🙂"),
                    .blob([0, 255, 92, 39, 0]),
                ],
                [.integer(.min), .real(-1.7976931348623157e308), .text(""), .blob([])],
                [.null, .null, .null, .null],
            ]
            for (index, row) in rows.enumerated() {
                let places = (1...5).map(engine.parameter).joined(separator: ", ")
                try session.execute("INSERT INTO v VALUES (\(places))", [.integer(Int64(index))] + row)
            }
            let read = try session.rows("SELECT i, r, t, b FROM v ORDER BY k")
            #expect(read.map(\.values) == rows)
            #expect(read.first?.columns == ["i", "r", "t", "b"])
        }
    }

    @Test(arguments: ContractEngine.available)
    func rowsAreLentInOrderAndCounted(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            var seen: [Int] = []
            let result = try session.query(engine.numbers(upTo: 1000), []) { row throws(DatabaseError) in
                seen.append(row["n"]?.integer ?? -1)
            }
            #expect(seen == Array(1...1000))
            #expect(result.rowCount == 1000)
            #expect(result.rowsAffected == 0)
        }
    }

    @Test(arguments: ContractEngine.available)
    func changedRowsAreCountedAndNothingElseIs(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE t (n bigint)")
            #expect(try session.affected("INSERT INTO t \(engine.numbers(upTo: 7))") == 7)
            #expect(try session.affected("SELECT n FROM t") == 0)
            #expect(try session.affected("UPDATE t SET n = n + 1 WHERE n > 5") == 2)
            #expect(try session.affected("CREATE TABLE u AS SELECT n FROM t") == 0)
            #expect(try session.affected("DELETE FROM t") == 7)
            #expect(try session.affected("DELETE FROM t") == 0)
            #expect(try session.affected("CREATE INDEX t_n ON t (n)") == 0)
        }
    }

    @Test(arguments: ContractEngine.available)
    func anErrorOfTheReaderIsRethrownAfterTheResultWasDrained(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            let thrown = DatabaseError(.misuse, "the reader had enough")
            var calls = 0
            #expect(throws: thrown) {
                try session.query(engine.numbers(upTo: 5000), []) { row throws(DatabaseError) in
                    calls += 1
                    if calls == 3 { throw thrown }
                }
            }
            #expect(calls == 3)
            let answer = try session.integer("SELECT 42")
            #expect(answer == 42)
        }
    }

    @Test(arguments: ContractEngine.available)
    func aQueryTakesExactlyOneStatement(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE t (n bigint)")
            #expect(throws: DatabaseError.self) {
                try session.execute("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
            }
            #expect(try session.integer("SELECT count(*) FROM t") == 0)
            // A statement's own semicolon and a comment behind it are not another statement.
            #expect(try session.integer("SELECT 1; -- done\n") == 1)
        }
    }

    @Test(arguments: ContractEngine.available)
    func aTextAnswersWithOneResultForEachStatement(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            var results: [(index: Int, rowsAffected: Int, rowCount: Int, first: [DatabaseValue]?)] = []
            try session.run(
                """
                ;; -- nothing yet
                CREATE TABLE t (n bigint);;
                INSERT INTO t VALUES (3), (4); /* ; */ ;
                SELECT n FROM t ORDER BY n;
                DELETE FROM t WHERE n = 4;
                SELECT n FROM t WHERE n = 99
                """, as: nil
            ) { results.append(($0, $1.rowsAffected, $1.rowCount, $1.firstRow?.values)) }
            #expect(results.map(\.index) == [0, 1, 2, 3, 4])
            #expect(results.map(\.rowsAffected) == [0, 2, 0, 1, 0])
            #expect(results.map(\.rowCount) == [0, 0, 2, 0, 0])
            #expect(results.map(\.first) == [nil, nil, [.integer(3)], nil, nil])
        }
    }

    @Test(arguments: ContractEngine.available, ["", ";", " ;\n; ", "-- nothing", "/* nothing */"])
    func aTextWithoutStatementsAnswersNothing(_ engine: ContractEngine, _ text: String) async throws {
        try await engine.withSession { session in
            var count = 0
            try session.run(text, as: nil) { _, _ in count += 1 }
            #expect(count == 0)
        }
    }

    /// The first failure ends the text, says how many statements had answered, and where it stands in scalars.
    @Test(arguments: ContractEngine.available)
    func aFailureInATextNamesItsPlace(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            let before = "BEGIN;\nSELECT 'ä🙂e\u{0301}\r\n👩‍👩‍👧';\nSELECT n FROM "
            var answered = 0
            let error = try #require(throws: DatabaseError.self) {
                try session.run(before + "nowhere_at_all; SELECT 1", as: nil) { _, _ in answered += 1 }
            }
            #expect(answered == 2)
            #expect(error.code == .statement)
            #expect(error.resultsBefore == 2)
            #expect(error.message.contains("nowhere_at_all"))
            #expect(!error.message.contains("\n"))
            #expect(engine != .postgresql || error.position == before.unicodeScalars.count + 1)
            #expect(session.isInTransaction)
            try session.run("ROLLBACK")
            #expect(!session.isInTransaction)
            #expect(session.isUsable)
        }
    }

    @Test(arguments: ContractEngine.available)
    func aFailedStatementLeavesTheTransactionToTheCaller(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE t (n bigint PRIMARY KEY)")
            #expect(!session.isInTransaction)
            try session.run("BEGIN; INSERT INTO t VALUES (1)")
            #expect(session.isInTransaction)
            let error = try #require(throws: DatabaseError.self) {
                try session.execute("INSERT INTO t VALUES (1)")
            }
            #expect(error.code == .statement)
            #expect(session.isInTransaction)
            try session.run("ROLLBACK")
            #expect(try session.integer("SELECT count(*) FROM t") == 0)
        }
    }

    @Test(arguments: ContractEngine.available)
    func aTransactionScopeCommitsOrRollsBack(_ engine: ContractEngine) async throws {
        try await engine.withDatabase { open in
            let session = try open()
            let witness = try open()
            defer {
                session.close()
                witness.close()
            }
            try session.run("CREATE TABLE t (n bigint)")
            let answer = try session.withTransaction(["BEGIN"]) { () throws(DatabaseError) in
                try session.execute("INSERT INTO t VALUES (1)")
                return "kept"
            }
            #expect(answer == "kept")
            let thrown = DatabaseError(.misuse, "given up")
            #expect(throws: thrown) {
                try session.withTransaction(["BEGIN"]) { () throws(DatabaseError) in
                    try session.execute("INSERT INTO t VALUES (2)")
                    throw thrown
                }
            }
            #expect(!session.isInTransaction)
            #expect(try witness.rows("SELECT n FROM t").map { $0[0].integer } == [1])
        }
    }

    @Test(arguments: ContractEngine.available)
    func whatIsEnqueuedIsDoneBeforeTheNextAnswerAndCommittedWithTheRest(_ engine: ContractEngine) async throws {
        try await engine.withDatabase { open in
            let session = try open()
            let witness = try open()
            defer {
                session.close()
                witness.close()
            }
            try session.enqueue("CREATE TABLE t (n bigint)", [])
            #expect(try witness.rows("SELECT n FROM t").isEmpty, "outside a transaction at once")
            try session.begin(["BEGIN"])
            #expect(session.isInTransaction)
            try session.enqueue("INSERT INTO t VALUES (1)", [])
            try session.enqueue("INSERT INTO t VALUES (2)", [])
            #expect(try session.rows("SELECT n FROM t ORDER BY n").map { $0[0].integer } == [1, 2])
            try session.enqueue("INSERT INTO t VALUES (3)", [])
            try session.run("INSERT INTO t SELECT 10 * max(n) FROM t")
            #expect(try witness.rows("SELECT n FROM t").isEmpty)
            try session.enqueue("INSERT INTO t VALUES (4)", [])
            try session.commit()
            #expect(!session.isInTransaction)
            #expect(try witness.rows("SELECT n FROM t ORDER BY n").map { $0[0].integer } == [1, 2, 3, 4, 30])
        }
    }

    @Test(arguments: ContractEngine.available)
    func whatIsEnqueuedAndFailsRollsEverythingBack(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE t (n bigint PRIMARY KEY)")
            #expect(throws: DatabaseError.self) {
                try session.withTransaction(["BEGIN"]) { () throws(DatabaseError) in
                    try session.enqueue("INSERT INTO t VALUES (1)", [])
                    try session.enqueue("INSERT INTO t VALUES (1)", [])
                    try session.enqueue("INSERT INTO t VALUES (2)", [])
                }
            }
            #expect(!session.isInTransaction)
            #expect(session.isUsable)
            #expect(try session.rows("SELECT n FROM t").isEmpty)
            #expect(throws: DatabaseError.self) {
                try session.withTransaction(["BEGIN"]) { () throws(DatabaseError) in
                    try session.enqueue("INSERT INTO t VALUES (1)", [])
                    try session.enqueue("INSERT INTO t VALUES (1)", [])
                    _ = try session.rows("SELECT n FROM t")
                }
            }
            #expect(try session.rows("SELECT n FROM t").isEmpty)
        }
    }

    @Test(arguments: ContractEngine.available)
    func severalQuestionsAreAnsweredInTheirOrder(_ engine: ContractEngine) async throws {
        try await engine.withDatabase { open in
            let session = try open()
            let witness = try open()
            defer {
                session.close()
                witness.close()
            }
            let numbered = engine.parameter(1)
            let questions = [
                DatabaseQuestion("SELECT n FROM t ORDER BY n"),
                DatabaseQuestion("SELECT n FROM t WHERE n > \(numbered) ORDER BY n", [.integer(2)]),
                DatabaseQuestion("SELECT n FROM t WHERE n > \(numbered)", [.integer(9)]),
                DatabaseQuestion("SELECT count(*) FROM t"),
            ]
            try session.run("CREATE TABLE t (n bigint PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
            try session.begin(["BEGIN"])
            try session.enqueue("INSERT INTO t VALUES (3)", [])

            let first = try session.rows(of: questions, commits: false)

            #expect(first.map { $0.map { $0[0].integer } } == [[1, 2, 3], [3], [], [3]])
            #expect(session.isInTransaction)
            #expect(try witness.rows("SELECT n FROM t").count == 2)
            try session.enqueue("INSERT INTO t VALUES (4)", [])
            let second = try session.rows(of: questions, commits: true)
            #expect(second.map { $0.map { $0[0].integer } } == [[1, 2, 3, 4], [3, 4], [], [4]])
            #expect(!session.isInTransaction)
            #expect(try witness.rows("SELECT n FROM t").count == 4)
            #expect(try session.rows(of: [], commits: false).isEmpty)
        }
    }

    @Test(arguments: ContractEngine.available)
    func oneOfSeveralQuestionsThatFailsCommitsNothing(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE t (n bigint PRIMARY KEY)")
            try session.begin(["BEGIN"])
            try session.enqueue("INSERT INTO t VALUES (1)", [])
            #expect(throws: DatabaseError.self) {
                try session.rows(
                    of: [
                        DatabaseQuestion("SELECT n FROM t"), DatabaseQuestion("SELECT nothing FROM t"),
                        DatabaseQuestion("SELECT count(*) FROM t"),
                    ], commits: true)
            }
            #expect(session.isUsable)
            #expect(session.isInTransaction)
            try session.rollback()
            #expect(try session.rows("SELECT n FROM t").isEmpty)
        }
    }

    @Test(arguments: ContractEngine.available)
    func aRollbackForgetsWhatIsEnqueued(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE t (n bigint)")
            try session.begin(["BEGIN"])
            try session.enqueue("INSERT INTO t VALUES (1)", [])
            try session.rollback()
            #expect(!session.isInTransaction)
            #expect(try session.rows("SELECT n FROM t").isEmpty)
        }
    }

    @Test(arguments: ContractEngine.available)
    func aQueryInATransactionOfItsOwnIsCommitted(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE t (n bigint PRIMARY KEY)")
            var answered: [Int?] = []
            for _ in 0..<2 {
                _ = try? session.query(
                    "INSERT INTO t VALUES (1) RETURNING n", [], inTransaction: ["BEGIN"], endedBy: ["COMMIT"]
                ) {
                    row throws(DatabaseError) in answered.append(row[0].integer)
                }
                #expect(!session.isInTransaction)
                #expect(session.isUsable)
            }
            #expect(answered == [1])
            #expect(try session.rows("SELECT n FROM t").count == 1)
        }
    }

    @Test(arguments: ContractEngine.available)
    func aQueryInATransactionOfItsOwnCanBeTakenBack(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            try session.run("CREATE TABLE t (n bigint PRIMARY KEY)")
            var answered: [Int?] = []
            for statement in ["INSERT INTO t VALUES (1) RETURNING n", "SELECT nothing FROM t"] {
                _ = try? session.query(
                    statement, [], inTransaction: ["BEGIN"],
                    endedBy: ["ROLLBACK", "CREATE TABLE IF NOT EXISTS u (n bigint)"]
                ) { row throws(DatabaseError) in answered.append(row[0].integer) }
                #expect(!session.isInTransaction)
                #expect(session.isUsable)
            }
            #expect(answered == [1])
            #expect(try session.rows("SELECT n FROM t").isEmpty)
            #expect(try session.rows("SELECT n FROM u").isEmpty)
        }
    }

    @Test(arguments: ContractEngine.available)
    func aClosedSessionRefusesEverythingAndClosesAgain(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            #expect(session.isUsable)
            let interrupter = session.interrupter
            session.close()
            session.close()
            interrupter.interrupt()
            #expect(!session.isUsable)
            #expect(!session.isInTransaction)
            #expect(throws: DatabaseError.self) { try session.execute("SELECT 1") }
            #expect(throws: DatabaseError.self) { try session.run("SELECT 1") }
        }
    }

    @Test(arguments: ContractEngine.available)
    func anotherThreadStopsTheStatementUnderWay(_ engine: ContractEngine) async throws {
        try await engine.withSession { session in
            // An interrupt without a statement must not hit the next one.
            session.interrupter.interrupt()
            session.interrupter.interrupt()
            #expect(try session.integer("SELECT 1 AS n") == 1)

            let isEnded = Flag()
            let interrupter = session.interrupter
            let thread = Thread {
                while !isEnded.isSet {
                    interrupter.interrupt()
                    Thread.sleep(forTimeInterval: 0.02)
                }
            }
            thread.start()
            let start = ContinuousClock.now
            let error = try #require(throws: DatabaseError.self) { try session.execute(engine.endlessStatement) }
            isEnded.set()
            #expect(error.code == .interrupted)
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(session.isUsable)
            #expect(try session.integer("SELECT 2 AS n") == 2)
        }
    }
}
