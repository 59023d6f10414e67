import Foundation

/// A SQLite file, spoken to with the sqlite3 shell.
struct SQLiteFile: Sendable {
    var path: URL

    @discardableResult
    func sql(_ script: String) async throws -> String {
        try await Command("sqlite3", "-batch", "-bail", path.path, input: script).output()
    }

    func lines(_ query: String) async throws -> [String] {
        try await sql(query).split(separator: "\n").map(String.init)
    }
}
