import Foundation
import Testing

/// A file that holds what something printed when a person last looked at it. `MUSTER_RECORD=1` writes it anew.
struct Snapshot {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots")

    let name: String

    func expect(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = Self.folder.appending(path: name)
        if ProcessInfo.processInfo.environment["MUSTER_RECORD"] == "1" {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let recorded =
            (try? String(contentsOf: file, encoding: .utf8)) ?? "no such snapshot; record it with MUSTER_RECORD=1"
        #expect(text == recorded, "differs from \(name)", sourceLocation: sourceLocation)
    }
}
