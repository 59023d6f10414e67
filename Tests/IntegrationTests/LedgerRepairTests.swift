import Foundation
import TestSupport
import Testing

/// `muster ledger repair` as a person calls it.
@Suite struct LedgerRepairTests {
    private func place() async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write("tenants/.keep", "")
        for name in ["a", "b"] {
            try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(name).db"))
                .sql("CREATE TABLE effects (what);")
        }
        try workplace.write("one.sql", "INSERT INTO effects VALUES ('one');\n")
        try workplace.write("two.sql", "INSERT INTO effects VALUES ('two');\n")
        try workplace.write("deploy.json5", manifest("{ id: \"one\", sql: \"one.sql\" }"))
        return workplace
    }

    private func manifest(_ runbooks: String) -> String {
        """
        { manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/*.db" }, runbooks: [\(runbooks)] }
        """
    }

    private func repair(_ workplace: Workplace, _ arguments: String...) async throws -> Ending {
        try await workplace.muster(["ledger", "repair", "-f", "deploy.json5"] + arguments).run()
    }

    /// Guarantee: a file put back from a backup is named with its exit status; --forget-missing lets it run again.
    @Test func restoredFileIsRepaired() async throws {
        let workplace = try await place()
        let file = workplace.folder.appending(path: "tenants/b.db")
        let backup = try Data(contentsOf: file)
        #expect(try await workplace.apply().exitCode == 0)
        #expect(try await repair(workplace).code == 0)
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + suffix) }
        try backup.write(to: file)
        try workplace.write(
            "deploy.json5", manifest("{ id: \"one\", sql: \"one.sql\" }, { id: \"two\", sql: \"two.sql\" }"))

        let report = try await workplace.apply()
        #expect(report.exitCode == 4)
        #expect(report.failures.map(\.tenant) == ["b"])
        #expect(try await SQLiteFile(path: file).lines("SELECT what FROM effects") == [])

        let before = try await workplace.contents()
        let looked = try await repair(workplace, "--format", "json")
        #expect(looked.code == 4)
        #expect(looked.output.contains(#""schema": "muster.repair/1""#))
        #expect(looked.output.contains(#""kind": "missing_receipt""#))
        #expect(try await workplace.contents() == before, "a look writes nothing")
        #expect(try await repair(workplace).output.contains("--forget-missing"))
        #expect(try await repair(workplace, "--forget-missing").code == 64)
        #expect(try await repair(workplace, "--forget-missing", "--adopt", "--reason", "x").code == 64)
        #expect(try await repair(workplace, "--tenant", "z").code == 4)

        let repaired = try await repair(workplace, "--tenant", "b", "--forget-missing", "--reason", "Sunday's backup")
        #expect(repaired.code == 0, "\(repaired)")
        #expect(try await workplace.apply().exitCode == 0)
        #expect(try await SQLiteFile(path: file).lines("SELECT what FROM effects ORDER BY 1") == ["one", "two"])
        #expect(try await repair(workplace).code == 0)
    }

    /// Guarantee: a renamed file keeps what was done to it, once a person says that it is the same.
    @Test func renamedFileIsAdopted() async throws {
        let workplace = try await place()
        #expect(try await workplace.apply().exitCode == 0)
        let tenants = workplace.folder.appending(path: "tenants")
        try FileManager.default.moveItem(
            at: tenants.appending(path: "b.db"), to: tenants.appending(path: "bolt.db"))
        #expect(try await workplace.apply().exitCode == 4)
        let adopted = try await repair(workplace, "--tenant", "bolt", "--adopt", "--reason", "renamed", "--yes")
        #expect(adopted.code == 0, "\(adopted)")
        #expect(try await workplace.apply().nothingToDo)
        #expect(
            try await SQLiteFile(path: tenants.appending(path: "bolt.db")).lines("SELECT what FROM effects") == ["one"])
    }
}
