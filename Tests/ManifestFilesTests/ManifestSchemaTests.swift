import Foundation
import Testing

@testable import ManifestFiles

/// The schema that editors use says the same as the decoder.
struct ManifestSchemaTests {
    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    static let schemaFile = sources.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("manifests/muster.schema.json").path
    static let accepted = sources.appendingPathComponent("Accepted").path

    static let acceptedNames: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: accepted)) ?? []
        return files.filter { $0.hasSuffix(".json5") }.map { String($0.dropLast(6)) }.sorted()
    }()

    static let environment = ["COUNT": "8", "EMPTY": "", "YES": "true"]

    /// What the decoder refuses and a schema cannot: it looks at one value at a time, and neither at repeated keys nor
    /// at files, variables or other places of the manifest.
    static let beyondTheSchema: [String: String] = [
        "after-cycle-of-three": "cycles", "after-cycle-of-two": "cycles", "after-itself": "cycles",
        "after-later-phase": "references", "after-unknown": "references", "runbook-unknown-phase": "references",
        "runbook-phase-from-variable": "references", "runbook-id-twice": "unique ids",
        "tenants-list-twice": "unique ids", "duplicate-key": "repeated keys",
        "ledger-without-url": "DATABASE_URL may stand in", "ledger-sqlite-direct": "one field against another",
        "tenants-target-direct": "one field against another", "tenants-files-with-target": "one field against another",
        "runbook-foreign-keys-postgres": "the engine",
        "tenants-synchronous-postgres": "the engine", "tenants-template-open": "templates",
        "tenants-template-column": "templates", "ledger-retention-short": "ranges of durations",
        "defaults-too-long": "ranges of durations", "variable-unset": "variables",
        "variable-open": "variables",
        "batch-parameters": "SQL", "batch-two-statements": "SQL", "batch-max-lag-files": "the engine",
        "file-missing": "files", "file-is-folder": "files", "file-not-utf8": "files",
        "tenants-command-missing": "files",
        "runbook-exec-not-executable": "files", "runbook-exec-folder": "files", "runbook-exec-blank": "files",
        "sql-transaction-control": "SQL", "sql-concurrently": "SQL", "sql-open-quote": "SQL", "sql-meta-command": "SQL",
        "rollback-missing-file": "files", "rollback-transaction-control": "SQL",
        "sql-copy": "SQL", "sql-empty": "SQL", "verify-two-queries": "SQL", "tenants-query-two-statements": "SQL",
        "tenants-query-empty": "SQL", "variable-secret-stays-hidden": "variables",
    ]

    @Test func theProgramHoldsTheFile() throws {
        let file = try String(contentsOfFile: Self.schemaFile, encoding: .utf8)
        if ProcessInfo.processInfo.environment["MUSTER_RECORD"] == "1" { try record(file) }
        #expect(ManifestSchema.text == file)
    }

    /// Writes the constant anew, in two files; the next build holds it.
    private func record(_ schema: String) throws {
        let lines = schema.split(separator: "\n").map { "        \($0)\n" }
        let border = try #require(lines.firstIndex(of: "          \"$defs\": {\n"))
        let fields = """
            /// The JSON Schema of the manifest, as `muster schema` prints it.
            package enum ManifestSchema {
                /// The same text as `manifests/muster.schema.json`; recorded from it by the tests (`MUSTER_RECORD=1`).
                package static let text = fields + definitions

                private static let fields = #\"\"\"
            \(lines[..<border].joined())
                    \"\"\"#
            }

            """
        let definitions = """
            extension ManifestSchema {
                /// What the fields refer to, to the end of the text; recorded with them.
                static let definitions = #\"\"\"
            \(lines[border...].joined())
                    \"\"\"#
            }

            """
        for (name, source) in [("ManifestSchema", fields), ("ManifestSchema+Definitions", definitions)] {
            let target = Self.schemaFile.replacing(
                "manifests/muster.schema.json", with: "Sources/ManifestFiles/Schema/\(name).swift")
            try source.write(toFile: target, atomically: true, encoding: .utf8)
        }
    }

    @Test(arguments: acceptedNames)
    func bothAccept(name: String) throws {
        let path = "\(Self.accepted)/\(name).json5"
        let loaded = try ManifestLoader.load(path: path, environment: Self.environment)
        #expect(loaded.warnings.map(\.description) == [])
        let tree = try JSONParser.parse(String(contentsOfFile: path, encoding: .utf8))
        #expect(try SchemaValidator(ManifestSchema.text).problems(of: tree) == [])
    }

    @Test(arguments: SampleManifestTests.samples)
    func acceptsTheSamples(sample: String) throws {
        let file = SampleManifestTests.root.appendingPathComponent(sample)
        let tree = try JSONParser.parse(String(contentsOf: file, encoding: .utf8))
        #expect(try SchemaValidator(ManifestSchema.text).problems(of: tree) == [])
    }

    /// Every broken manifest that can be parsed is refused by the schema too, or by a rule that no schema can have.
    @Test(arguments: BrokenManifestTests.names)
    func bothRefuse(name: String) throws {
        let path = "\(BrokenManifestTests.folder)/\(name).json5"
        guard let text = try? TextFile.text(at: path), let tree = try? JSONParser.parse(text) else { return }
        let problems = try SchemaValidator(ManifestSchema.text).problems(of: tree)
        #expect(problems.isEmpty == (Self.beyondTheSchema[name] != nil), "\(problems)")
    }
}
