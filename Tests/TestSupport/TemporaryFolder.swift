package import Foundation

/// A folder of a test's own, gone when the test has ended.
package struct TemporaryFolder: Sendable {
    package let url: URL
    package var path: String { url.path(percentEncoded: false) }

    /// The path of something inside.
    package func path(_ name: String) -> String { url.appending(path: name).path(percentEncoded: false) }

    package static func with<Answer>(_ body: (TemporaryFolder) async throws -> Answer) async throws -> Answer {
        let url = FileManager.default.temporaryDirectory.appending(path: "muster-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        return try await body(TemporaryFolder(url: url))
    }
}
