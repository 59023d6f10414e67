import DatabaseAccess
import Foundation
import SQLiteAccess
import Testing

/// What every user of a SQLite session relies on.
struct SQLiteSessionTests {
    private let folder: SQLiteFolder
    private let session: SQLiteSession

    init() throws {
        folder = try SQLiteFolder()
        session = try folder.open()
    }

    // MARK: Opening

    @Test func openingCreatesTheFileAndItsFolderOnlyWhenAsked() throws {
        #expect(
            databaseError { () throws(DatabaseError) in _ = try folder.open("a/b.db", creates: false) }?.code
                == .unreachable)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/a"))
        try folder.open("a/b.db").run("CREATE TABLE t (a)")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/a/b.db"))
    }

    @Test func aMissingFileIsNamed() throws {
        let error = try #require(
            databaseError { () throws(DatabaseError) in _ = try folder.open("no.db", creates: false) })
        #expect(error.code == .unreachable)
        #expect(error.message == "no such file: \(folder.path)/no.db")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/no.db"))
    }

    @Test(arguments: [false, true]) func aFolderIsNoDatabase(isReadOnly: Bool) throws {
        try FileManager.default.createDirectory(atPath: folder.path + "/d", withIntermediateDirectories: true)
        let error = try #require(
            databaseError { () throws(DatabaseError) in _ = try folder.open("d", creates: false, isReadOnly: isReadOnly)
            })
        #expect(error.code == .unreachable)
        #expect(error.message.hasSuffix("/d is a folder, not a SQLite file"))
    }

    @Test(arguments: [false, true]) func anotherFileIsNoDatabase(isReadOnly: Bool) throws {
        let file = folder.path + "/text.db"
        try String(repeating: "This is a letter. ", count: 200).write(toFile: file, atomically: true, encoding: .utf8)
        let error = try #require(
            databaseError { () throws(DatabaseError) in
                _ = try folder.open("text.db", creates: false, isReadOnly: isReadOnly)
            })
        #expect(error.code == .damaged)
        #expect(error.engineCode == 26)
        #expect(error.message == "\(file): file is not a database")
    }

    @Test(arguments: [":memory:", "file:x.db?mode=memory", "file:x.db", "a b%20'\"?#.db", "ünïcode-日本.db"])
    func strangeNamesAreFilesLikeAnyOther(name: String) throws {
        try folder.open(name).run("CREATE TABLE t (a)")
        #expect(FileManager.default.fileExists(atPath: "\(folder.path)/\(name)"))
        #expect(try folder.open(name, isReadOnly: true).rows("SELECT * FROM t").isEmpty)
    }

    @Test func aPathWithAZeroIsRefused() {
        let url = ConnectionURL(dialect: .sqlite, revealed: "x", path: "/tmp/a\0b")
        #expect(
            databaseError { () throws(DatabaseError) in
                _ = try SQLiteSession.open(url, SessionOptions(applicationName: "x"))
            }?.code == .misuse)
    }

    @Test func aPostgresURLIsMisuse() {
        let url = ConnectionURL(dialect: .postgresql, revealed: "postgres:///x", path: nil)
        #expect(
            databaseError { () throws(DatabaseError) in
                _ = try SQLiteSession.open(url, SessionOptions(applicationName: "x"))
            }?.code == .misuse)
    }

    @Test func settingsOfTheConnectionAreKnown() throws {
        #expect(try session.row("PRAGMA foreign_keys")?[0] == 0)
        #expect(try session.row("PRAGMA synchronous")?[0] == 2)
        #expect(session.dialect == .sqlite)
    }

    @Test func openingAndClosingKeepsNoDescriptors() throws {
        func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        let before = try descriptors()
        for _ in 0..<7000 { try folder.open().close() }
        for _ in 0..<7000 { _ = try folder.open() }
        for _ in 0..<7000 {
            _ = databaseError { () throws(DatabaseError) in _ = try folder.open("no.db", creates: false) }
        }
        // Tests that run beside this one have descriptors of their own.
        #expect(try descriptors() < before + 500)
    }

    @Test func aClosedSessionIsOfNoUse() throws {
        session.close()
        session.close()
        #expect(!session.isUsable)
        #expect(!session.isInTransaction)
        session.interrupter.interrupt()
        #expect(databaseError { () throws(DatabaseError) in try session.execute("SELECT 1") }?.code == .misuse)
        #expect(databaseError { () throws(DatabaseError) in try session.run("SELECT 1") }?.code == .misuse)
    }

    @Test func aSessionMayBeClosedWhileItsRowsAreRead() throws {
        var rows = 0
        try session.query("VALUES (1), (2)", []) { _ throws(DatabaseError) in
            rows += 1
            session.close()
        }
        #expect(rows == 2)
        #expect(!session.isUsable)
    }

    // MARK: Values

    @Test(arguments: [
        DatabaseValue.null, .integer(.min), .integer(.max), .integer(0), .real(-0.5), .text(""), .text("a\0b"),
        .text("日本 ' \" ; --"), .text(String(repeating: "x", count: 3_000_000)), .blob([]), .blob([0, 255, 0]),
    ])
    func valuesComeBackAsTheyWent(value: DatabaseValue) throws {
        let row = try #require(try session.row("SELECT ?1 AS v, typeof(?1) AS t", [value]))
        #expect(row["v"] == value)
        let type =
            switch value {
            case .null: "null"
            case .boolean, .integer: "integer"
            case .real: "real"
            case .text: "text"
            case .blob: "blob"
            }
        #expect(row["t"] == .text(type))
    }

    @Test func truthIsANumber() throws {
        #expect(try session.row("SELECT ?1, ?2", [true, false])?.values == [1, 0])
    }

    @Test func textThatIsNoUTF8IsRepaired() throws {
        #expect(try session.row("SELECT CAST(x'61ff62' AS TEXT)")?[0] == .text("a\u{FFFD}b"))
    }

    @Test func theNumberOfParametersMustFit() {
        #expect(
            databaseError { () throws(DatabaseError) in try session.execute("SELECT ?1, ?2", [1]) }?.code == .misuse)
        #expect(databaseError { () throws(DatabaseError) in try session.execute("SELECT 1", [1]) }?.code == .misuse)
    }

    // MARK: One statement

    @Test(arguments: ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE t", "SELECT 1;;x", "SELECT 1; /* c */ SELECT 2 -- c"])
    func aSecondStatementIsRefusedBeforeTheFirstRuns(sql: String) throws {
        let error = try #require(databaseError { () throws(DatabaseError) in try session.execute(sql) })
        #expect(error.code == .refused || error.code == .statement)
        #expect(error.message.contains("one statement is allowed here"))
    }

    @Test(arguments: [
        "SELECT 1;", "SELECT 1 ; ", "SELECT 1; -- done", "SELECT 1 /* open", "\u{FEFF}SELECT 1;\n/* a */ -- b\n",
    ])
    func commentsMayFollowTheStatement(sql: String) throws {
        #expect(try session.rows(sql).count == 1)
    }

    @Test(arguments: ["", "  ", "-- x", ";"]) func noStatementIsMisuse(sql: String) {
        #expect(databaseError { () throws(DatabaseError) in try session.execute(sql) }?.code == .misuse)
    }

    @Test func aZeroByteIsRefusedInsteadOfCuttingTheText() {
        #expect(
            databaseError { () throws(DatabaseError) in try session.run("SELECT 1;\0 DROP TABLE t") }?.code == .refused)
        #expect(databaseError { () throws(DatabaseError) in try session.execute("SELECT 1\0") }?.code == .refused)
    }

    @Test func theErrorOfTheReaderEndsTheStatement() throws {
        try session.run("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")
        var seen = 0
        let error = databaseError { () throws(DatabaseError) in
            try session.query("SELECT a FROM t", []) { _ throws(DatabaseError) in
                seen += 1
                throw DatabaseError(.misuse, "enough")
            }
        }
        #expect(error?.message == "enough")
        #expect(seen == 1)
        // Nothing is left running: the table can be dropped.
        try session.run("DROP TABLE t")
    }

    @Test func rowsMayAskQuestionsOfTheirOwn() throws {
        try session.run("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
        var sums: [Int?] = []
        try session.query("SELECT a FROM t ORDER BY a", []) { row throws(DatabaseError) in
            sums.append(try session.row("SELECT sum(a) FROM t WHERE a <= ?1", [row[0]])?[0].integer)
        }
        #expect(sums == [1, 3])
    }

    @Test func rowsAffectedCountsChangesAndNothingElse() throws {
        func affected(_ sql: String) throws -> Int { try session.execute(sql).rowsAffected }
        #expect(try affected("CREATE TABLE t (a PRIMARY KEY)") == 0)
        #expect(try affected("INSERT INTO t VALUES (1), (2), (3)") == 3)
        #expect(try affected("SELECT * FROM t") == 0)
        #expect(try affected("CREATE TABLE u AS SELECT * FROM t") == 0)
        #expect(try affected("CREATE INDEX i ON t (a)") == 0)
        #expect(try affected("UPDATE t SET a = a + 10 WHERE a > 1") == 2)
        #expect(try affected("UPDATE t SET a = 0 WHERE a > 100") == 0)
        #expect(try affected("ALTER TABLE t ADD COLUMN b DEFAULT 1") == 0)
        #expect(try affected("INSERT INTO t VALUES (5, 6) RETURNING a") == 1)
        #expect(try affected("DELETE FROM t") == 4)
        #expect(try affected("DELETE FROM t") == 0)
        #expect(try affected("DROP TABLE t") == 0)
    }

    @Test func triggersWorkIsNotCounted() throws {
        try session.run(
            """
            CREATE TABLE t (a); CREATE TABLE log (a);
            CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); INSERT INTO log VALUES (0); END;
            """)
        #expect(try session.execute("INSERT INTO t VALUES (1)").rowsAffected == 1)
        #expect(try session.row("SELECT count(*) FROM log")?[0] == 2)
    }

    // MARK: Many statements

    @Test func resultsAreHandedOverInOrder() throws {
        var results: [(Int, StatementResult)] = []
        try session.run(
            "CREATE TABLE t (a);; /* nothing */ ;INSERT INTO t VALUES (1), (2); SELECT a FROM t ORDER BY a -- end",
            as: nil
        ) { results.append(($0, $1)) }
        #expect(results.map(\.0) == [0, 1, 2])
        #expect(results.map(\.1.rowsAffected) == [0, 2, 0])
        #expect(results.map(\.1.rowCount) == [0, 0, 2])
        #expect(results[2].1.firstRow?["a"] == 1)
    }

    @Test func theFirstFailureEndsTheText() throws {
        var results = 0
        let error = try #require(
            databaseError { () throws(DatabaseError) in
                try session.run(
                    "CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1); -- é日\n  INSERT INTO t VALUES (1); DROP TABLE t",
                    as: nil
                ) { _, _ in results += 1 }
            })
        #expect(results == 2)
        #expect(error.code == .statement)
        #expect(error.engineCode == 2067)
        #expect(error.message == "UNIQUE constraint failed: t.a")
        #expect(error.resultsBefore == 2)
        // Where the failing statement begins, in Unicode scalars, its comment left out.
        #expect(error.position == 62)
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 1)
    }

    @Test func aSyntaxErrorHasItsPlace() throws {
        let text = "SELECT 'é日本😀';\nSELECT a FROM nowhere;"
        let error = try #require(databaseError { () throws(DatabaseError) in try session.run(text) })
        #expect(error.message == "no such table: nowhere")
        #expect(error.resultsBefore == 1)
        let second = try #require(
            databaseError { () throws(DatabaseError) in try session.run("SELECT '日😀';\n SELEKT 1") })
        #expect(second.message == "near \"SELEKT\": syntax error")
        #expect(second.position == 15)
        let column = try #require(databaseError { () throws(DatabaseError) in try session.run("SELECT 1, nope") })
        #expect(column.position == 11)
    }

    @Test func aTriggerIsOneStatement() throws {
        var results = 0
        try session.run(
            "CREATE TABLE t (a); CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; DELETE FROM t; END; SELECT 1",
            as: nil
        ) { _, _ in results += 1 }
        #expect(results == 3)
    }

    @Test(.timeLimit(.minutes(1))) func aLongTextIsReadInOneGo() throws {
        // Copying the rest of the text for each statement would take minutes.
        var text = "CREATE TABLE t (a);"
        for _ in 0..<20_000 { text += "INSERT INTO t VALUES ('\(String(repeating: "x", count: 200))');\n" }
        try session.run("BEGIN")
        try session.run(text)
        try session.run("COMMIT")
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 20_000)
    }

    @Test func transactionsRollBackAndCommit() throws {
        try session.run("CREATE TABLE t (a)")
        _ = databaseError { () throws(DatabaseError) in
            try session.withTransaction(["BEGIN IMMEDIATE"]) { () throws(DatabaseError) in
                try session.execute("INSERT INTO t VALUES (1)")
                #expect(session.isInTransaction)
                throw DatabaseError(.misuse, "no")
            }
        }
        #expect(!session.isInTransaction)
        _ = try session.withTransaction(["BEGIN IMMEDIATE"]) { () throws(DatabaseError) in
            try session.execute("INSERT INTO t VALUES (2)")
        }
        #expect(try session.rows("SELECT a FROM t").map { $0[0] } == [2])
    }

    @Test func aFullFileFailsTheStatementAndLeavesTheTransactionToTheCaller() throws {
        try session.run("CREATE TABLE t (a); PRAGMA max_page_count = 10; BEGIN")
        let error = try #require(
            databaseError { () throws(DatabaseError) in
                try session.execute("INSERT INTO t VALUES (randomblob(100000))")
            })
        #expect(error.code == .statement)
        #expect(error.engineCode == 13)
        if session.isInTransaction { try session.run("ROLLBACK") }
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 0)
    }

    // MARK: Busy and interrupted

    @Test func aBusyFileIsReportedAfterTheTimeout() throws {
        let other = try folder.open(busyTimeout: .milliseconds(50))
        try session.run("CREATE TABLE t (a); BEGIN IMMEDIATE")
        let began = ContinuousClock.now
        let error = databaseError { () throws(DatabaseError) in try other.run("BEGIN IMMEDIATE") }
        #expect(error?.code == .busy)
        #expect(error?.engineCode == 5)
        #expect(began.duration(to: .now) < .seconds(3))
        try session.run("COMMIT")
        try other.run("BEGIN IMMEDIATE; COMMIT")
    }

    @Test func aRunningStatementIsInterrupted() throws {
        let interrupter = session.interrupter
        Thread.detachNewThread {
            usleep(50_000)
            interrupter.interrupt()
        }
        let error = databaseError { () throws(DatabaseError) in
            try session.execute(
                "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c")
        }
        #expect(error?.code == .interrupted)
        #expect(try session.row("SELECT 1")?[0] == 1)
    }

    @Test func aWaitForABusyFileIsInterrupted() throws {
        let other = try folder.open(busyTimeout: .seconds(60))
        try session.run("BEGIN IMMEDIATE")
        let interrupter = other.interrupter
        Thread.detachNewThread {
            usleep(50_000)
            interrupter.interrupt()
        }
        let began = ContinuousClock.now
        #expect(databaseError { () throws(DatabaseError) in try other.run("BEGIN IMMEDIATE") }?.code == .interrupted)
        #expect(began.duration(to: .now) < .seconds(30))
    }

    @Test func aTextOfManySmallStatementsIsInterrupted() throws {
        let interrupter = session.interrupter
        let error = databaseError { () throws(DatabaseError) in
            try session.run(String(repeating: "SELECT 1;", count: 100), as: nil) { index, _ in
                if index == 4 { interrupter.interrupt() }
            }
        }
        #expect(error?.code == .interrupted)
        #expect(error?.resultsBefore == 5)
    }

    @Test func anInterruptOutsideOfACallHasNoEffect() throws {
        session.interrupter.interrupt()
        #expect(try session.row("SELECT 1")?[0] == 1)
    }

    @Test func interruptsAndClosingMayMeet() throws {
        // An interrupt that touched a closed handle would crash here sooner or later.
        for _ in 0..<200 {
            let session = try folder.open()
            let interrupter = session.interrupter
            Thread.detachNewThread { for _ in 0..<50 { interrupter.interrupt() } }
            _ = databaseError { () throws(DatabaseError) in try session.run("SELECT 1; SELECT 2") }
            session.close()
            #expect(!session.isUsable)
        }
    }
}
