import Foundation
import TestSupport

/// Tenants in SQLite files that come, go, break, and are put back from copies; and the model of what each must hold.
///
/// A witness has no key: an effect that happens twice shows as two rows.
final class FileFleet {
    let workplace: Workplace
    private(set) var runbooks: [String] = []
    /// What each tenant that is there must hold once it is whole and an apply has ended well.
    private(set) var present: Set<String> = []
    /// Tenants whose scripts fail.
    private(set) var broken: Set<String> = []
    /// Tenants that were put back from a copy, and lack what the ledger says is done.
    private(set) var outdated: Set<String> = []
    private var copies: [String: [String]] = [:]
    private var serial = 0

    init() throws {
        workplace = try Workplace()
        try FileManager.default.createDirectory(at: path("tenants"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: path("copies"), withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> URL { workplace.folder.appending(path: name) }

    func file(_ tenant: String) -> SQLiteFile { SQLiteFile(path: path("tenants/\(tenant).db")) }

    var ledger: SQLiteFile { SQLiteFile(path: path("ledger.db")) }

    var hasLedger: Bool { workplace.exists("ledger.db") }

    // MARK: What happens to a fleet

    func addRunbook() throws {
        let name = "r\(runbooks.count + 1)"
        runbooks.append(name)
        try workplace.write("\(name).sql", "INSERT INTO witness VALUES ('\(name)', muster_tenant());\n")
        let list = runbooks.map { "{ id: \"\($0)\", sql: \"\($0).sql\" }" }.joined(separator: ", ")
        try workplace.write(
            "deploy.json5",
            """
            { manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/*.db" },
              concurrency: { tenants: 2 }, runbooks: [\(list)] }
            """)
    }

    func addTenant() async throws {
        serial += 1
        let name = "t\(serial)"
        try await file(name).sql("CREATE TABLE witness (runbook text, tenant text);")
        present.insert(name)
    }

    func removeTenant(_ name: String) throws {
        for file in files(of: name) { try FileManager.default.removeItem(at: file) }
        present.remove(name)
        broken.remove(name)
        outdated.remove(name)
    }

    /// Keeps a copy as a backup would.
    func copyTenant(_ name: String) async throws {
        guard !broken.contains(name) else { return }
        try? FileManager.default.removeItem(at: path("copies/\(name).db"))
        try await file(name).sql("VACUUM INTO '\(path("copies/\(name).db").path)'")
        copies[name] = try await effects(of: name)
    }

    /// Puts the copy back. What was done since is gone from the tenant, and still done for the ledger.
    func restoreTenant(_ name: String) async throws {
        guard let kept = copies[name], !broken.contains(name) else { return }
        let now = try await effects(of: name)
        for file in files(of: name) { try FileManager.default.removeItem(at: file) }
        try FileManager.default.copyItem(at: path("copies/\(name).db"), to: file(name).path)
        if kept != now { outdated.insert(name) }
    }

    func breakTenant(_ name: String) async throws {
        guard broken.insert(name).inserted else { return }
        try await file(name).sql("ALTER TABLE witness RENAME TO hidden;")
    }

    func mendTenant(_ name: String) async throws {
        guard broken.remove(name) != nil else { return }
        try await file(name).sql("ALTER TABLE hidden RENAME TO witness;")
    }

    func noteRepaired() { outdated = [] }

    private func files(of name: String) -> [URL] {
        ["", "-wal", "-shm", "-journal"].map { path("tenants/\(name).db\($0)") }
            .filter { FileManager.default.fileExists(atPath: $0.path) }
    }

    // MARK: What is there

    func effects(of name: String) async throws -> [String] {
        let table = broken.contains(name) ? "hidden" : "witness"
        return try await file(name).lines("SELECT runbook || ' ' || tenant FROM \(table) ORDER BY 1")
    }

    /// tenant, runbook and state, attempt of everything in the ledger.
    func executions() async throws -> [String: (state: String, attempt: Int)] {
        guard hasLedger else { return [:] }
        var found: [String: (state: String, attempt: Int)] = [:]
        for line in try await ledger.lines("SELECT tenant, runbook, state, attempt FROM muster_known") {
            let cells = line.split(separator: "|").map(String.init)
            found["\(cells[0]) \(cells[1])"] = (cells[2], Int(cells[3]) ?? -1)
        }
        return found
    }
}
