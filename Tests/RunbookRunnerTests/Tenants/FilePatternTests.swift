import Foundation
import Groundwork
import RunbookModel
import RunbookRunner
import Testing

struct FilePatternTests {
    /// A folder of its own, whose name is full of what glob(7) finds special.
    private func withFolder(_ files: [String], _ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appending(path: "muster-files-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        let folder = root.appending(path: "a[b]*?\\c %")
        for file in files {
            let url = folder.appending(path: file)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: url)
        }
        try body(folder.path)
    }

    @Test("each match is a tenant named by its stem, in the order of the names' bytes")
    func matches() throws {
        try withFolder(["t/b.db", "t/a.db", "t/B.db", "t/a.b.db", "t/é ?.db", "t/x.txt", "t/.hidden.db"]) { folder in
            let tenants = try FilePattern("t/*.db", in: folder).tenants(besides: nil)
            #expect(tenants.map(\.id) == ["B", "a.b", "a", "b", "é ?"])
            let encoded = PercentEncoding.encoded(folder, keeping: [UInt8(ascii: "/")])
            #expect(tenants.first?.url?.revealed == "sqlite:\(encoded)/t/B.db")
            #expect(tenants.last?.url?.revealed == "sqlite:\(encoded)/t/%C3%A9%20%3F.db")
            #expect(tenants.allSatisfy { $0.schema == nil && $0.labels.isEmpty })
        }
    }

    @Test("the ledger, what lies beside databases, and folders are no tenants")
    func leavesOut() throws {
        let files = [
            "a.db", "a.db-wal", "a.db-shm", "a.db-journal", "ledger.db", "ledger.db-locks", "folder.db/x", "plain",
        ]
        try withFolder(files) { folder in
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/alias.db", withDestinationPath: folder + "/ledger.db")
            let ledger = folder + "/../" + (folder.split(separator: "/").last ?? "") + "/ledger.db"
            let tenants = try FilePattern("./*", in: folder).tenants(besides: ledger)
            #expect(tenants.map(\.id) == ["a", "plain"])
        }
    }

    @Test("a folder that is named as the files are is a tenant whose file was replaced, not one that never was")
    func replacedFile() throws {
        try withFolder(["t/a.db", "t/b.db/x"]) { folder in
            let tenants = try FilePattern("t/*.db", in: folder).tenants(besides: nil)
            #expect(tenants.map(\.id) == ["a", "b"])
            #expect(tenants.last?.url?.revealed.hasSuffix("/t/b.db") == true)
        }
    }

    @Test("folders may be matched too, and an absolute pattern stands alone")
    func folders() throws {
        try withFolder(["x/1/main.db", "x/2/main.db", "y/3/other.db"]) { folder in
            let tenants = try FilePattern("[xy]/?/*.db", in: folder).tenants(besides: nil)
            #expect(tenants.map(\.id) == ["main", "main", "other"])
        }
        #expect(try FilePattern("/dev/nul[l]", in: "/nowhere").tenants(besides: nil).map(\.id) == ["null"])
    }

    @Test("nothing that matches is no error; a folder that is not there is one")
    func noMatches() throws {
        try withFolder(["a.txt"]) { folder in
            #expect(try FilePattern("*.db", in: folder).tenants(besides: nil).isEmpty)
            let error = try #require(throws: TenantFinding.self) {
                try FilePattern("missing/*.db", in: folder).tenants(besides: nil)
            }
            #expect(error.rule == .source)
            #expect(throws: TenantFinding.self) { try FilePattern("**/*.db", in: folder).tenants(besides: nil) }
        }
    }
}
