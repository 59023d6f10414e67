import Foundation
import ManifestFiles
import Testing

struct ManifestFinderTests {
    @Test func aNamedManifestWinsOverTheVariableAndTheUsualPlaces() throws {
        let path = try ManifestFinder.find(named: "here.json5", environment: ["MUSTER_MANIFEST": "there.json5"])
        #expect(path == "here.json5")
        #expect(try ManifestFinder.find(named: nil, environment: ["MUSTER_MANIFEST": "there.json5"]) == "there.json5")
    }

    @Test func theUsualPlacesAreTriedInOrder() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/manifests", withIntermediateDirectories: true)
            try "{}".write(toFile: "\(folder)/manifests/deploy.json5", atomically: true, encoding: .utf8)
            #expect(
                try ManifestFinder.find(named: "", environment: ["MUSTER_MANIFEST": ""], in: folder)
                    == "\(folder)/manifests/deploy.json5")
            try "{}".write(toFile: "\(folder)/muster.json5", atomically: true, encoding: .utf8)
            #expect(try ManifestFinder.find(named: nil, environment: [:], in: folder) == "\(folder)/muster.json5")
        }
    }

    @Test func nowhereSaysWhereItLookedAndWhatToDo() throws {
        try withTemporaryFolder { folder in
            let error = try #require(throws: ManifestError.self) {
                try ManifestFinder.find(named: nil, environment: [:], in: folder)
            }
            #expect(error.code == .missing)
            #expect(
                error.description == """
                    muster.json5: there is no manifest: neither muster.json5 nor manifests/deploy.json5 exists; \
                    name one with --manifest or MUSTER_MANIFEST, or begin with muster init
                    """)
        }
    }

    @Test func aMissingManifestNamesTheNearestFile() throws {
        try withTemporaryFolder { folder in
            try "{}".write(toFile: "\(folder)/muster.json5", atomically: true, encoding: .utf8)
            let error = try #require(throws: ManifestError.self) {
                try ManifestLoader.load(path: "\(folder)/muster.json", environment: [:])
            }
            #expect(error.code == .missing)
            #expect(error.description == "\(folder)/muster.json: no such file; did you mean \"muster.json5\"?")
        }
    }
}
