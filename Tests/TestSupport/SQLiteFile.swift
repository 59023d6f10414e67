package import Foundation

/// A SQLite file, spoken to with the sqlite3 shell.
package struct SQLiteFile: Sendable {
    package var path: URL

    package init(path: URL) { self.path = path }

    @discardableResult
    package func sql(_ script: String) async throws -> String {
        try await Command("sqlite3", "-batch", "-bail", "-cmd", ".timeout 10000", path.path, input: script).output()
    }

    package func lines(_ query: String) async throws -> [String] {
        try await sql(query).split(separator: "\n").map(String.init)
    }
}
