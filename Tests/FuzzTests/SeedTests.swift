import Foundation
import FuzzProperties
import TestSupport
import Testing

/// What `ci/fuzz` demands of every input holds for those that it begins with, so that the demands themselves stay true.
struct SeedTests {
    private static let manifests = files(
        in: "Tests/ManifestFilesTests/Accepted", "Tests/ManifestFilesTests/Broken", "manifests"
    )
    .filter { $0.hasSuffix(".json5") }
    private static let scripts = files(in: "Tests/ManifestFilesTests/Broken", "manifests").filter {
        $0.hasSuffix(".sql")
    }
    private static let lists = files(in: "Tests/Fuzzers/Seeds/tenants")

    private static func files(in folders: String...) -> [String] {
        folders.flatMap { folder in
            let names = FileManager.default.enumerator(atPath: Checkout.root.appending(path: folder).path)
            return (names?.compactMap { $0 as? String } ?? []).map { "\(folder)/\($0)" }.sorted()
        }
    }

    private func bytes(_ file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: Checkout.root.appending(path: file)))
    }

    @Test func thereAreSeeds() {
        #expect(Self.manifests.count >= 60)
        #expect(Self.scripts.count >= 10)
        #expect(Self.lists.count >= 5)
    }

    @Test(arguments: manifests)
    func aManifestIsReadTheSameTwiceAndItsProblemsLieInside(file: String) async throws {
        try await TemporaryFolder.with { folder in
            let broken = Checkout.root.appending(path: "Tests/ManifestFilesTests/Broken")
            try FileManager.default.createSymbolicLink(
                at: folder.url.appending(path: "Broken"), withDestinationURL: broken)
            let place = folder.url.appending(path: "manifest")
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            for name in ["sql", "hooks"] {
                try FileManager.default.createSymbolicLink(
                    at: place.appending(path: name), withDestinationURL: broken.appending(path: name))
            }
            let input = try bytes(file)
            #expect(throws: Never.self) { try ManifestProperties(folder: place.path).check(input) }
        }
    }

    @Test(arguments: scripts)
    func aScriptIsCutIntoPiecesThatAreFoundAgain(file: String) throws {
        let input = try bytes(file)
        #expect(throws: Never.self) { try SQLProperties.check(input) }
    }

    @Test(arguments: lists)
    func aListOfTenantsGivesEachOnceByALegalName(file: String) throws {
        let input = try bytes(file)
        #expect(throws: Never.self) { try TenantProperties().check(input) }
    }
}
