import Foundation
import ManifestFiles
import RunbookModel
import Testing

/// Every manifest that the repository shows is read without an error or a warning.
struct SampleManifestTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("manifests")

    static let samples: [String] = {
        let all = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return all.filter { $0.hasSuffix(".json5") }.sorted()
    }()

    @Test func thereAreSamples() {
        #expect(Self.samples.count >= 9)
    }

    @Test(arguments: samples)
    func isAccepted(sample: String) throws {
        let loaded = try ManifestLoader.load(
            path: Self.root.appendingPathComponent(sample).path,
            environment: ["DATABASE_URL": "postgres://deploy@db.example/app"])
        #expect(loaded.warnings.map(\.description) == [])
        #expect(!loaded.manifest.runbooks.isEmpty)
        #expect(loaded.manifest.runbooks.allSatisfy { $0.checksum.hasPrefix("sha256:") && $0.line != nil })
    }
}
