import DatabaseAccess
import Foundation
import SQLiteAccess

/// A folder of its own for one test, removed at its end.
final class SQLiteFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "muster-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func url(_ name: String = "tenant.db") -> ConnectionURL {
        ConnectionURL(dialect: .sqlite, revealed: "sqlite:\(path)/\(name)", path: "\(path)/\(name)")
    }

    func open(
        _ name: String = "tenant.db", creates: Bool = true, isReadOnly: Bool = false,
        busyTimeout: Duration = .seconds(5)
    ) throws(DatabaseError) -> SQLiteSession {
        try SQLiteSession.open(
            url(name),
            SessionOptions(
                applicationName: "muster/test", isReadOnly: isReadOnly, createsFile: creates,
                busyTimeout: busyTimeout))
    }

    /// Name, size, time of change and content of every file.
    func snapshot() throws -> [String: String] {
        var files: [String: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: path) {
            let file = "\(path)/\(name)"
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            let data = try Data(contentsOf: URL(filePath: file))
            let changed = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            files[name] = "\(data.count) \(changed) \(data.hashValue)"
        }
        return files
    }

    /// Runs a Python program in the folder and waits for it; `sqlite3` is its own binding.
    @discardableResult
    func python(_ program: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-c", program]
        process.currentDirectoryURL = URL(filePath: path)
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// The error of a call that must fail.
func databaseError(_ body: () throws(DatabaseError) -> Void) -> DatabaseError? {
    do throws(DatabaseError) {
        try body()
        return nil
    } catch {
        return error
    }
}
