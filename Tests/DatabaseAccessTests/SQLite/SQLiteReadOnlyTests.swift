import DatabaseAccess
import Foundation
import SQLiteAccess
import Synchronization
import Testing

/// A read-only session reads what is there, refuses every write and leaves no trace, whatever state the file is in.
struct SQLiteReadOnlyTests {
    private let folder: SQLiteFolder

    init() throws { folder = try SQLiteFolder() }

    /// States of a file that holds `t` with five rows.
    enum FileState: String, CaseIterable, Sendable {
        case rollbackJournal
        case persistentJournal
        case truncatedJournal
        case cleanLog
        case crashedLog
        case keptLog

        var program: String {
            let rows = "for i in range(5): c.execute('insert into t values (1)')\n"
            let open = "import sqlite3, os\nc = sqlite3.connect('tenant.db', isolation_level=None)\n"
            return switch self {
            case .rollbackJournal:
                open + "c.execute('create table t (a)')\nc.execute('create index ti on t (a)')\n" + rows
            case .persistentJournal:
                open + "c.execute('pragma journal_mode = persist')\nc.execute('create table t (a)')\n" + rows
            case .truncatedJournal:
                open + "c.execute('pragma journal_mode = truncate')\nc.execute('create table t (a)')\n" + rows
            case .cleanLog: open + "c.execute('pragma journal_mode = wal')\nc.execute('create table t (a)')\n" + rows
            case .crashedLog:
                open + "c.execute('pragma journal_mode = wal')\nc.execute('create table t (a)')\n" + rows
                    + "os.kill(os.getpid(), 9)\n"
            case .keptLog:
                // Closed while a reader that was killed kept the log from being taken in.
                open + "c.execute('pragma journal_mode = wal')\nc.execute('pragma wal_autocheckpoint = 0')\n"
                    + "c.execute('create table t (a)')\n" + rows
                    + "if os.fork() == 0:\n  d = sqlite3.connect('tenant.db'); d.execute('select * from t').fetchone()\n"
                    + "  os.kill(os.getpid(), 9)\nos.wait()\nos.kill(os.getpid(), 9)\n"
            }
        }
    }

    @Test(arguments: FileState.allCases) func readingLeavesNoTrace(state: FileState) throws {
        try folder.python(state.program)
        let before = try folder.snapshot()
        for _ in 0..<3 {
            let session = try folder.open(creates: false, isReadOnly: true)
            #expect(try session.row("SELECT count(*) FROM t")?[0] == 5)
            #expect(
                databaseError { () throws(DatabaseError) in try session.execute("INSERT INTO t VALUES (1)") } != nil)
            #expect(try session.row("SELECT count(*) FROM t")?[0] == 5)
            session.close()
            #expect(try folder.snapshot() == before)
        }
    }

    @Test(arguments: FileState.allCases) func aSessionThatIsDroppedLeavesNoTrace(state: FileState) throws {
        try folder.python(state.program)
        let before = try folder.snapshot()
        #expect(try folder.open(creates: false, isReadOnly: true).row("SELECT count(*) FROM t")?[0] == 5)
        #expect(try folder.snapshot() == before)
    }

    @Test func aHotJournalIsReportedAndNotRolledBack() throws {
        try folder.python(
            """
            import sqlite3, os
            c = sqlite3.connect('tenant.db', isolation_level=None)
            c.execute('create table t (a)')
            c.execute('pragma cache_size = 5')
            c.execute('begin')
            for i in range(500): c.execute('insert into t values (randomblob(2000))')
            os.kill(os.getpid(), 9)
            """)
        let before = try folder.snapshot()
        #expect(before.count == 2)
        let error = try #require(
            databaseError { () throws(DatabaseError) in _ = try folder.open(creates: false, isReadOnly: true) })
        #expect(error.code == .refused)
        #expect(error.message.contains("needs recovery"))
        #expect(error.message.contains("tenant.db"))
        #expect(try folder.snapshot() == before)
        // A writer recovers it.
        #expect(try folder.open().row("SELECT count(*) FROM t")?[0] == 0)
    }

    @Test func aLogWithoutItsIndexIsReportedAndNotRecovered() throws {
        try folder.python(FileState.crashedLog.program)
        try FileManager.default.removeItem(atPath: folder.path + "/tenant.db-shm")
        let before = try folder.snapshot()
        let error = try #require(
            databaseError { () throws(DatabaseError) in _ = try folder.open(creates: false, isReadOnly: true) })
        #expect(error.code == .refused)
        #expect(error.message.contains("needs recovery"))
        #expect(try folder.snapshot() == before)
        #expect(try folder.open().row("SELECT count(*) FROM t")?[0] == 5)
    }

    @Test func aLinkIsReadThroughWithoutTrace() throws {
        try folder.python(FileState.crashedLog.program)
        try FileManager.default.createDirectory(atPath: folder.path + "/links", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link.db", withDestinationPath: folder.path + "/tenant.db")
        try FileManager.default.removeItem(atPath: folder.path + "/links")
        let before = try folder.snapshot()
        #expect(try folder.open("link.db", creates: false, isReadOnly: true).row("SELECT count(*) FROM t")?[0] == 5)
        #expect(try folder.snapshot() == before)
    }

    @Test func aFileInUseIsReadBesideItsWriter() throws {
        // The writer is another process, as in life.
        let writer = Process()
        writer.executableURL = URL(filePath: "/usr/bin/python3")
        writer.currentDirectoryURL = URL(filePath: folder.path)
        writer.arguments = [
            "-c",
            """
            import os, sqlite3, sys
            c = sqlite3.connect('tenant.db', isolation_level=None)
            c.execute('pragma journal_mode = wal')
            c.execute('create table t (a)')
            for line in sys.stdin:
                c.execute('insert into t values (1)')
                os.write(1, b'.')
            """,
        ]
        let input = Pipe()
        let output = Pipe()
        writer.standardInput = input
        writer.standardOutput = output
        try writer.run()
        func insert() throws {
            try input.fileHandleForWriting.write(contentsOf: Data("x\n".utf8))
            #expect(!output.fileHandleForReading.availableData.isEmpty)
        }
        try insert()
        let session = try folder.open(creates: false, isReadOnly: true)
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 1)
        try insert()
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 2)
        session.close()
        try insert()
        try input.fileHandleForWriting.close()
        writer.waitUntilExit()
        #expect(try folder.open(creates: false, isReadOnly: true).row("SELECT count(*) FROM t")?[0] == 3)
    }

    @Test(arguments: [
        "INSERT INTO t VALUES (1)", "UPDATE t SET a = 2", "DELETE FROM t", "REPLACE INTO t VALUES (1)",
        "CREATE TABLE u (a)", "CREATE TEMP TABLE u (a)", "CREATE VIEW v AS SELECT 1", "CREATE INDEX i ON t (a)",
        "DROP TABLE t", "ALTER TABLE t RENAME TO u", "ALTER TABLE t ADD COLUMN b", "VACUUM", "VACUUM INTO 'copy.db'",
        "REINDEX", "ANALYZE", "ATTACH 'other.db' AS o", "ATTACH ':memory:' AS o", "DETACH main",
        "PRAGMA query_only = 0", "PRAGMA journal_mode = wal", "PRAGMA journal_mode(delete)",
        "PRAGMA user_version = 3", "PRAGMA writable_schema = 1", "PRAGMA wal_checkpoint",
        "PRAGMA wal_checkpoint(truncate)", "PRAGMA incremental_vacuum", "PRAGMA optimize", "PRAGMA synchronous = 0",
        "PRAGMA locking_mode = exclusive", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "SAVEPOINT a",
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "INSERT INTO t VALUES (1) RETURNING a",
        "SELECT * FROM pragma_journal_mode('wal')", "SELECT load_extension('x')",
        "CREATE VIRTUAL TABLE f USING fts5(a)", "UPDATE sqlite_master SET sql = ''",
        "UPDATE sqlite_schema SET name = 'x'",
        "EXPLAIN INSERT INTO t VALUES (1)",
    ])
    func everyWriteIsRefused(sql: String) throws {
        try folder.python(FileState.rollbackJournal.program)
        let before = try folder.snapshot()
        let session = try folder.open(creates: false, isReadOnly: true)
        let error = try #require(databaseError { () throws(DatabaseError) in try session.execute(sql) })
        #expect([.refused, .rejected, .statement].contains(error.code))
        #expect(databaseError { () throws(DatabaseError) in try session.run(sql) } != nil)
        session.close()
        #expect(try folder.snapshot() == before)
    }

    @Test(arguments: [
        "SELECT a FROM t", "WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n + 1 FROM c WHERE n < 9) SELECT * FROM c",
        "SELECT upper('x'), max(a) FROM t GROUP BY a ORDER BY 1", "PRAGMA table_info(t)", "PRAGMA user_version",
        "PRAGMA foreign_key_check", "PRAGMA integrity_check", "SELECT name FROM pragma_table_info('t')",
        "EXPLAIN QUERY PLAN SELECT * FROM t", "VALUES (1)", "SELECT * FROM sqlite_schema",
        "SELECT value FROM json_each('[1, 2]')",
    ])
    func everyReadPasses(sql: String) throws {
        try folder.python(FileState.rollbackJournal.program)
        let session = try folder.open(creates: false, isReadOnly: true)
        _ = try session.rows(sql)
        try session.run("BEGIN")
        _ = try session.rows(sql)
        try session.run("ROLLBACK")
        #expect(session.isUsable && !session.isInTransaction)
    }

    @Test func aRefusalSaysWhat() throws {
        try folder.python(FileState.rollbackJournal.program)
        let session = try folder.open(creates: false, isReadOnly: true)
        let error = try #require(
            databaseError { () throws(DatabaseError) in try session.execute("INSERT INTO t VALUES (1)") })
        #expect(error.code == .refused)
        #expect(error.message == "writing to t is not allowed here: nothing may be written")
        #expect(error.hint == "ask with a SELECT")
    }

    @Test func aWriterOfThisProcessWaitsForItsReaderOfALog() throws {
        try folder.python(FileState.crashedLog.program)
        let reader = try folder.open(creates: false, isReadOnly: true)
        let another = try folder.open(creates: false, isReadOnly: true)
        let error = databaseError { () throws(DatabaseError) in
            _ = try folder.open(busyTimeout: .milliseconds(50))
        }
        #expect(error?.code == .busy)
        #expect(error?.message.contains("still reading") == true)
        reader.close()
        #expect(throws: DatabaseError.self) { try folder.open(busyTimeout: .milliseconds(50)) }
        another.close()
        let writer = try folder.open()
        #expect(try writer.execute("INSERT INTO t VALUES (1)").rowsAffected == 1)
        // Beside a writer it is read as it is, and the writer goes on.
        let beside = try folder.open(creates: false, isReadOnly: true)
        #expect(try beside.row("SELECT count(*) FROM t")?[0] == 6)
        #expect(try writer.execute("INSERT INTO t VALUES (1)").rowsAffected == 1)
        #expect(try beside.row("SELECT count(*) FROM t")?[0] == 7)
        #expect(databaseError { () throws(DatabaseError) in try beside.execute("DELETE FROM t") }?.code == .refused)
        writer.close()
        #expect(try beside.row("SELECT count(*) FROM t")?[0] == 7)
        beside.close()
        #expect(try folder.open().execute("INSERT INTO t VALUES (1)").rowsAffected == 1)
    }

    @Test func readersAndWritersOfOneProcessNeverHurtEachOther() throws {
        try folder.python(FileState.crashedLog.program)
        let folder = folder.path
        let url = ConnectionURL(dialect: .sqlite, revealed: "sqlite:tenant", path: "\(folder)/tenant.db")
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 6) { number in
            for _ in 0..<50 {
                do {
                    let session = try SQLiteSession.open(
                        url,
                        SessionOptions(applicationName: "x", isReadOnly: number % 2 == 0, busyTimeout: .seconds(60)))
                    if number % 2 == 0 {
                        _ = try session.row("SELECT count(*) FROM t")
                    } else {
                        try session.execute("INSERT INTO t VALUES (1)")
                    }
                } catch {
                    failures.withLock { $0.append("\(number): \(error)") }
                }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(try self.folder.open().row("SELECT count(*) FROM t")?[0] == 155)
    }

    @Test func aMissingFileIsNotCreatedByReading() throws {
        #expect(
            databaseError { () throws(DatabaseError) in _ = try folder.open(creates: true, isReadOnly: true) }?.code
                == .unreachable)
        #expect(try folder.snapshot().isEmpty)
    }

    @Test func anEmptyFileBesideALogIsNotTouched() throws {
        try Data().write(to: URL(filePath: folder.path + "/tenant.db"))
        try Data(repeating: 1, count: 100).write(to: URL(filePath: folder.path + "/tenant.db-wal"))
        let before = try folder.snapshot()
        #expect(
            databaseError { () throws(DatabaseError) in _ = try folder.open(creates: false, isReadOnly: true) }?.code
                == .refused)
        #expect(try folder.snapshot() == before)
    }
}
