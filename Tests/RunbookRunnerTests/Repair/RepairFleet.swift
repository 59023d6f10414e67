import DatabaseAccess
import Foundation
import PostgresAccess
import RunbookModel
import RunbookRunner
import SQLiteAccess
import TestSupport
import Testing

/// Where tenants of a test live.
enum Layout: String, CaseIterable, CustomTestStringConvertible {
    /// Each in a SQLite file, the ledger in another.
    case files
    /// Each in a PostgreSQL database, the ledger in another.
    case databases
    /// Each in a schema of the ledger's database.
    case schemas

    var testDescription: String { rawValue }

    static let withReceipts: [Layout] = available([.files, .databases])
    static let all: [Layout] = available(allCases)

    private static func available(_ layouts: [Layout]) -> [Layout] {
        layouts.filter { $0 == .files || PostgresServer.isExpected }
    }
}

/// Tenants that can be copied, renamed and restored, with what was done to them counted in a table `effects`.
final class RepairFleet {
    let layout: Layout
    private let folder: TemporaryFolder
    private let prefix = "muster_r_\(UUID().uuidString.prefix(8).lowercased())_"
    private(set) var tenants: [String] = []
    var runbooks: [Runbook] = []

    private init(_ layout: Layout, _ folder: TemporaryFolder) {
        self.layout = layout
        self.folder = folder
    }

    static func with(_ layout: Layout, _ tenants: [String], _ body: (RepairFleet) async throws -> Void) async throws {
        try await TemporaryFolder.with { folder in
            let fleet = RepairFleet(layout, folder)
            if layout != .files { try fleet.server("CREATE DATABASE \(fleet.prefix)ledger TEMPLATE template0") }
            defer {
                if layout != .files {
                    for name in fleet.tenants + ["ledger"] {
                        try? fleet.server("DROP DATABASE IF EXISTS \(fleet.prefix)\(name) WITH (FORCE)")
                    }
                }
            }
            for tenant in tenants { try fleet.make(tenant) }
            try await body(fleet)
        }
    }

    /// An empty tenant with a table that counts effects.
    func make(_ tenant: String) throws {
        switch layout {
        case .files:
            let session = try SQLiteSession.open(
                try url(tenant), SessionOptions(applicationName: "test", createsFile: true))
            session.close()
        case .databases: try server("CREATE DATABASE \(prefix)\(tenant) TEMPLATE template0")
        case .schemas: try sql("ledger", "CREATE SCHEMA \(tenant)")
        }
        tenants.append(tenant)
        try sql(tenant, "CREATE TABLE \(qualified(tenant)) (what text)")
    }

    /// A copy under another name: a backup, or a tenant made from a template.
    func copy(_ tenant: String, as other: String, isTenant: Bool = true) throws {
        switch layout {
        case .files:
            try FileManager.default.copyItem(atPath: folder.path("\(tenant).db"), toPath: folder.path("\(other).db"))
        case .databases: try server("CREATE DATABASE \(prefix)\(other) TEMPLATE \(prefix)\(tenant)")
        case .schemas: break
        }
        if isTenant { tenants.append(other) }
    }

    /// Takes away all that Muster has written, and every effect, as if nothing had ever run.
    func startOver() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            try FileManager.default.removeItem(atPath: folder.path(name))
        }
        switch layout {
        case .files:
            let names = tenants
            tenants = []
            for name in names { try make(name) }
        case .databases, .schemas:
            for place in tenants + ["ledger"] { try sql(place, "DROP SCHEMA IF EXISTS muster CASCADE") }
            for tenant in tenants { try sql(tenant, "TRUNCATE \(qualified(tenant))") }
        }
    }

    func remove(_ tenant: String) throws {
        switch layout {
        case .files: try FileManager.default.removeItem(atPath: folder.path("\(tenant).db"))
        case .databases: try server("DROP DATABASE \(prefix)\(tenant) WITH (FORCE)")
        case .schemas: break
        }
        tenants.removeAll { $0 == tenant }
    }

    /// A runbook that leaves one row in `effects` each time it runs.
    func effect(_ id: String, body: String = "", change: (inout Runbook) -> Void = { _ in }) -> Runbook {
        Fleet.runbook(id, ["INSERT INTO effects VALUES ('\(id)\(body)')"], change: change)
    }

    var manifest: Manifest {
        get throws {
            let list = tenants.sorted().map { Tenant(id: $0) }
            let target: TargetTemplate
            switch layout {
            case .files: target = TargetTemplate(url: Redacted("sqlite:\(folder.path("{id}.db"))"))
            case .databases:
                target = TargetTemplate(url: Redacted(try PostgresServer.url("dbname=\(prefix){id}").revealed))
            case .schemas: target = TargetTemplate(schema: "{id}")
            }
            return Fleet.manifest(
                ledger: try url("ledger").revealed, source: .list(list), target: target, runbooks: runbooks
            ) { manifest in
                for index in manifest.runbooks.indices { manifest.runbooks[index].limits.lockWait = .seconds(2) }
            }
        }
    }

    func apply(
        opener: any SessionOpener = RealOpener(), events: EventLog = EventLog(), isFused: Bool = false
    ) async throws -> Report {
        var manifest = try manifest
        manifest.fuse = isFused
        return await Fleet.apply(manifest, opener: opener, events: events)
    }

    func repair(_ action: RepairReport.Action? = nil, _ tenants: String...) async throws -> RepairReport {
        await RunbookService(opener: RealOpener()).repair(
            try manifest,
            RepairRequest(
                selection: Selection(tenants: tenants), action: action, actor: "ann", reason: "as tested",
                lockWait: .seconds(2)))
    }

    func resolve(
        _ runbook: String, _ decision: ResolveReport.Decision, _ tenants: String..., lockWait: Duration = .seconds(2)
    ) async throws -> ResolveReport {
        try await resolve(runbook, decision, Selection(tenants: tenants), lockWait: lockWait)
    }

    func resolve(
        _ runbook: String, _ decision: ResolveReport.Decision, _ selection: Selection,
        lockWait: Duration = .seconds(2)
    ) async throws -> ResolveReport {
        await RunbookService(opener: RealOpener()).resolve(
            try manifest,
            ResolveRequest(
                runbook: runbook, selection: selection, decision: decision, actor: "ann", reason: "as tested",
                lockWait: lockWait))
    }

    /// What was done in a tenant, in alphabetical order.
    func effects(_ tenant: String) throws -> [String] {
        let session = try open(tenant)
        defer { session.close() }
        return try session.rows("SELECT what FROM \(qualified(tenant)) ORDER BY 1").compactMap { $0[0].text }
    }

    /// Asks or changes the ledger; `{m}` stands for what its tables begin with.
    @discardableResult
    func ledger(_ statement: String) throws -> [String] {
        let session = try open("ledger")
        defer { session.close() }
        let prefix = layout == .files ? "muster_" : "muster."
        if statement.contains("{m}executions") || !statement.hasPrefix("SELECT") { try unseal(session, prefix) }
        let text = statement.replacing("{m}", with: prefix)
        return try session.rows(text).map { row in row.values.map { $0.text ?? "-" }.joined(separator: "|") }
    }

    /// Gives every record a row of its own again, so that a test may look at it and change it.
    private func unseal(_ session: any DatabaseSession, _ prefix: String) throws {
        let columns =
            "workspace, tenant, runbook, key, state, clean, attempt, checksum, run_id, runner, finished_at"
        try session.run(
            """
            INSERT INTO \(prefix)executions (\(columns)) SELECT \(columns) FROM \(prefix)known WHERE true
            ON CONFLICT (workspace, tenant, runbook, key) DO NOTHING;
            DELETE FROM \(prefix)sealed
            """)
    }

    /// The same in the tenant's own receipts.
    @discardableResult
    func receipts(_ tenant: String, _ statement: String) throws -> [String] {
        let session = try open(tenant)
        defer { session.close() }
        let text = statement.replacing("{m}", with: layout == .files ? "muster_" : "muster.")
        return try session.rows(text).map { row in row.values.map { $0.text ?? "-" }.joined(separator: "|") }
    }

    func sql(_ tenant: String, _ text: String) throws {
        let session = try open(tenant)
        defer { session.close() }
        try session.run(text)
    }

    func open(_ tenant: String, as name: String = "test") throws -> any DatabaseSession {
        try RealOpener().open(try url(tenant), SessionOptions(applicationName: name))
    }

    /// Where a test may write beside the tenants.
    func path(_ name: String) -> String { folder.path(name) }

    func url(_ tenant: String) throws -> ConnectionURL {
        switch layout {
        case .files: try ConnectionURL(parsing: "sqlite:\(folder.path("\(tenant).db"))")
        case .databases: try PostgresServer.url("dbname=\(prefix)\(tenant)")
        case .schemas: try PostgresServer.url("dbname=\(prefix)ledger")
        }
    }

    private func qualified(_ tenant: String) -> String { layout == .schemas ? "\(tenant).effects" : "effects" }

    private func server(_ text: String) throws {
        let session = try PostgresServer.open(PostgresServer.url)
        defer { session.close() }
        // A connection that was closed is still there for a moment, and a copy wants to be alone (55006).
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let problem: DatabaseError
            do throws(DatabaseError) { return try session.run(text) } catch { problem = error }
            guard problem.sqlState == "55006", ContinuousClock.now < deadline else { throw problem }
        }
    }
}
