import Foundation
import TestSupport
import Testing

/// What the documents say is so.
@Suite struct DocumentationTests {
    private func document(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: Checkout.root.appending(path: name)), as: UTF8.self)
    }

    /// Guarantee: the README's manifest is valid.
    @Test func readmeManifestIsValid() async throws {
        let readme = try document("README.md")
        let blocks = readme.components(separatedBy: "```json5\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        let manifest = try #require(blocks.first)
        let workplace = try Workplace(environment: ["DATABASE_URL": "postgres://localhost/app"])
        for (from, to) in [("manifests/findings-lifecycle/postgres/sql", "sql"), ("hooks", "hooks")] {
            try FileManager.default.copyItem(
                at: Checkout.root.appending(path: from), to: workplace.folder.appending(path: to))
        }
        try workplace.write("muster.json5", manifest)

        let ending = try await workplace.muster("validate").run()

        #expect(ending.code == 0, "\(ending)")
        #expect(blocks.count == 1)
    }

    /// Guarantee: every field that the schema knows is described in docs/manifest.md.
    @Test func everyFieldIsDescribed() async throws {
        let schema = try await Command(Checkout.muster, "schema").output()
        var names: Set<String> = []
        func collect(_ value: Any) {
            if let object = value as? [String: Any] {
                if let properties = object["properties"] as? [String: Any] { names.formUnion(properties.keys) }
                object.values.forEach(collect)
            } else if let list = value as? [Any] {
                list.forEach(collect)
            }
        }
        collect(try JSONSerialization.jsonObject(with: Data(schema.utf8)))
        let text = try document("docs/manifest.md")

        #expect(names.count > 40)
        let missing = names.filter { !text.contains("`\($0)`") }.sorted()
        #expect(missing == [])
    }

    /// Guarantee: every column of the ledger's stable views is described in docs/ledger.md, and no other.
    @Test(arguments: ["completed", "pending_by_tenant", "run_summary", "failures"])
    func everyColumnIsDescribed(_ view: String) async throws {
        let workplace = try Workplace(sample: "findings-lifecycle/sqlite")
        try await Command("./setup", "1", folder: workplace.folder).output()
        #expect(try await workplace.apply().exitCode == 0)
        let columns = try await SQLiteFile(path: workplace.folder.appending(path: ".muster/ledger.db"))
            .lines("SELECT name FROM pragma_table_info('muster_\(view)') ORDER BY name")
        let text = try document("docs/ledger.md")
        let section = try #require(
            text.components(separatedBy: "\n## ").flatMap { $0.components(separatedBy: "\n### ") }.first {
                $0.hasPrefix("`\(view)`")
            })
        let described = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .flatMap { $0.split(separator: "|")[0].split(separator: "`").filter { !" ,".contains($0.first ?? " ") } }

        #expect(!columns.isEmpty)
        #expect(described.map(String.init).sorted() == columns)
    }
}
