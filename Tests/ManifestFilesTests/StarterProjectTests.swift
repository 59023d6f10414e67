import Foundation
import ManifestFiles
import RunbookModel
import Testing

struct StarterProjectTests {
    /// What `muster init` writes is valid without a change, whether or not a server is configured.
    @Test(arguments: [[:], ["DATABASE_URL": "postgres://deploy@db.example/app"]])
    func isValidAsItIs(environment: [String: String]) throws {
        try withTemporaryFolder { folder in
            for name in StarterProject.folders {
                try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
            for file in StarterProject.files {
                try file.contents.write(toFile: "\(folder)/\(file.path)", atomically: true, encoding: .utf8)
            }
            let path = try ManifestFinder.find(named: nil, environment: [:], in: folder)
            let loaded = try ManifestLoader.load(path: path, environment: environment)
            #expect(loaded.warnings.isEmpty)
            #expect(loaded.manifest.runbooks.map(\.id) == ["notes-table"])
            if environment.isEmpty {
                #expect(loaded.manifest.ledger.url.revealed == "sqlite:\(folder)/.muster/ledger.db")
            }
        }
    }
}

/// Lends an empty folder and removes it afterwards.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
}
