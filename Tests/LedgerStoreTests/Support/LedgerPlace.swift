import DatabaseAccess
import LedgerStore
import SQLiteAccess
import TestSupport

/// Where a test's own ledger is: a database or a file that nobody else uses, gone afterwards.
struct LedgerPlace: Sendable {
    let engine: Engine
    let url: ConnectionURL
    var schema = "muster"

    static func with<Answer>(_ engine: Engine, _ body: (LedgerPlace) async throws -> Answer) async throws -> Answer {
        switch engine {
        case .postgresql:
            try await PostgresServer.withDatabase { try await body(LedgerPlace(engine: engine, url: $0)) }
        case .sqlite:
            try await TemporaryFolder.with { folder in
                let url = try ConnectionURL(parsing: "sqlite:\(folder.path("ledger.db"))")
                return try await body(LedgerPlace(engine: engine, url: url))
            }
        }
    }

    /// Lends an open ledger of the workspace `default`.
    static func withLedger<Answer>(
        _ engine: Engine, _ body: (Ledger, LedgerPlace) async throws -> Answer
    ) async throws -> Answer {
        try await with(engine) { place in
            let ledger = try place.open()
            defer { ledger.session.close() }
            return try await body(ledger, place)
        }
    }

    func session(isReadOnly: Bool = false) throws -> any DatabaseSession {
        switch engine {
        case .postgresql: try PostgresServer.open(url)
        case .sqlite:
            try SQLiteSession.open(
                url,
                SessionOptions(
                    applicationName: "muster/test", isReadOnly: isReadOnly, createsFile: !isReadOnly,
                    busyTimeout: .seconds(60)))
        }
    }

    func open(workspace: String = "default") throws -> Ledger {
        try Ledger.open(session(), schema: schema, workspace: workspace)
    }

    func read(workspace: String = "default") throws -> Ledger {
        try Ledger.read(session(isReadOnly: true), schema: schema, workspace: workspace)
    }
}

extension Ledger {
    /// One value of one row of the ledger's tables, `{}` being what stands before a table's name.
    func value(_ statement: String, _ parameters: [DatabaseValue] = []) throws -> DatabaseValue? {
        try values(statement, parameters).first?.first
    }

    func values(_ statement: String, _ parameters: [DatabaseValue] = []) throws -> [[DatabaseValue]] {
        let prefix = dialect == .postgresql ? "\(sql.schema)." : "muster_"
        return try session.rows(sql.text(statement.replacing("{}", with: prefix)), parameters).map(\.values)
    }

    @discardableResult
    func change(_ statement: String, _ parameters: [DatabaseValue] = []) throws -> Int {
        let prefix = dialect == .postgresql ? "\(sql.schema)." : "muster_"
        return try session.execute(sql.text(statement.replacing("{}", with: prefix)), parameters).rowsAffected
    }
}
