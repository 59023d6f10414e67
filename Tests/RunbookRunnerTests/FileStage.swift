import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import SQLiteAccess
import Synchronization
import TestSupport

/// Tenants t1, t2, … in SQLite files, each with two notes, and a table that counts effects.
final class FileStage {
    private let folder: TemporaryFolder
    private(set) var tenants: [String] = []
    var runbooks: [Runbook] = []
    var isFused = false
    var synchronous = Synchronous.full

    private init(_ folder: TemporaryFolder) { self.folder = folder }

    static func with(tenants count: Int, _ body: (FileStage) async throws -> Void) async throws {
        try await TemporaryFolder.with { folder in
            let stage = FileStage(folder)
            for number in 1...count {
                stage.tenants.append("t\(number)")
                try stage.sql(
                    "t\(number)",
                    """
                    CREATE TABLE notes (id INTEGER); INSERT INTO notes VALUES (1), (2);
                    CREATE UNIQUE INDEX one_each ON notes (id); CREATE TABLE trace (what TEXT)
                    """)
            }
            try await body(stage)
        }
    }

    /// A runbook that first leaves a row.
    static func step(
        _ id: String, _ statements: [String], after: [String] = [], change: (inout Runbook) -> Void = { _ in }
    ) -> Runbook {
        Fleet.runbook(id, ["INSERT INTO trace VALUES ('\(id)')"] + statements, after: after, change: change)
    }

    var manifest: Manifest {
        Fleet.manifest(
            ledger: "sqlite:\(path("ledger"))", source: .files(pattern: folder.path("t*.db")), runbooks: runbooks
        ) {
            $0.fuse = isFused
            $0.tenants.synchronous = synchronous
        }
    }

    func path(_ name: String) -> String { folder.path("\(name).db") }

    func sql(_ name: String, _ text: String) throws {
        let session = try open(name)
        defer { session.close() }
        try session.run(text)
    }

    func lines(_ name: String, _ query: String) throws -> [String] {
        let session = try open(name)
        defer { session.close() }
        return try session.rows(query).map { row in row.values.map { $0.text ?? "" }.joined(separator: " ") }
    }

    func schema(_ name: String) throws -> [String] {
        try lines(name, "SELECT type || ' ' || name FROM sqlite_schema ORDER BY 1")
    }

    /// How many transactions have written the file: its change counter (sqlite.org/fileformat.html, 1.3.7).
    func transactions(of name: String) throws -> Int {
        let file = try FileHandle(forReadingFrom: URL(filePath: path(name)))
        defer { try? file.close() }
        let header = try file.read(upToCount: 28) ?? Data()
        return header.dropFirst(24).reduce(0) { $0 << 8 | Int($1) }
    }

    private func open(_ name: String) throws -> SQLiteSession {
        let url = ConnectionURL(dialect: .sqlite, revealed: "sqlite:\(path(name))", path: path(name))
        return try SQLiteSession.open(url, SessionOptions(applicationName: "test", createsFile: true))
    }
}

/// Opens real engines, and counts how often each file is opened for writing.
final class OpenCounter: SessionOpener {
    private let counts = Mutex<[String: Int]>([:])

    var opened: [String: Int] { counts.withLock { $0 } }

    func open(_ url: ConnectionURL, _ options: SessionOptions) throws(DatabaseError) -> any DatabaseSession {
        if !options.isReadOnly, let path = url.path { counts.withLock { $0[path, default: 0] += 1 } }
        return try RealOpener().open(url, options)
    }

    func openLockFile(beside ledger: ConnectionURL) throws(DatabaseError) -> any AdvisoryLocks {
        try RealOpener().openLockFile(beside: ledger)
    }
}
