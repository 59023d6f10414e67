import Foundation
import ManifestFiles
import Testing

/// Every broken manifest in `Broken/` gets exactly the errors in the text beside it.
///
/// `MUSTER_RECORD=1 swift test --filter BrokenManifestTests` writes the texts anew.
struct BrokenManifestTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Broken")
        .path

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".json5") }.map { String($0.dropLast(6)) }.sorted()
    }()

    static let environment = [
        "DATABASE_URL": "", "COUNT": "8", "PHASE": "pre-depoy", "WORD": "open-sesame",
    ]

    @Test func thereAreAtLeastSixty() {
        #expect(Self.names.count >= 60)
    }

    @Test(arguments: names)
    func saysExactlyThis(name: String) throws {
        let error = try #require(throws: ManifestError.self) {
            try ManifestLoader.load(path: "\(Self.folder)/\(name).json5", environment: Self.environment)
        }
        let text = error.description.replacing(Self.folder + "/", with: "") + "\n"
        #expect(!text.contains("open-sesame"))

        let snapshot = "\(Self.folder)/\(name).txt"
        if ProcessInfo.processInfo.environment["MUSTER_RECORD"] == "1" {
            try text.write(toFile: snapshot, atomically: true, encoding: .utf8)
        }
        #expect(text == (try String(contentsOfFile: snapshot, encoding: .utf8)))
    }
}
