import Foundation
import TestSupport
import Testing

/// Another program that keeps a SQLite file locked until it is told to let go.
struct LockedFile: Sendable {
    private let holder: RunningCommand
    private let release: URL

    /// - Parameter lock: `BEGIN IMMEDIATE` for a writer, `BEGIN; SELECT …` for a reader.
    init(_ file: SQLiteFile, by lock: String) async throws {
        let mark = file.path.deletingPathExtension().lastPathComponent + "-\(UUID().uuidString.prefix(8))"
        let folder = FileManager.default.temporaryDirectory
        let held = folder.appending(path: "\(mark).held")
        release = folder.appending(path: "\(mark).release")
        let waiting = "touch \(held.path); while [ ! -e \(release.path) ]; do sleep 0.02; done"
        // Whoever works on the file may have it for a moment just now.
        let script = ".timeout 10000\n\(lock);\n.shell \(waiting)\nROLLBACK;\n"
        holder = try Command("sqlite3", "-batch", "-bail", file.path.path, input: script).start()
        try #require(try await eventually { FileManager.default.fileExists(atPath: held.path) })
        try FileManager.default.removeItem(at: held)
    }

    func letGo() async throws {
        try Data().write(to: release)
        _ = try await holder.ending(within: .seconds(60))
        try FileManager.default.removeItem(at: release)
    }
}
