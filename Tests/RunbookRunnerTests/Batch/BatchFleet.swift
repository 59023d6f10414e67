import DatabaseAccess
import Foundation
import ManifestFiles
import RunbookModel
import RunbookRunner
import TestSupport

/// Tenants with a table `items (id, touched)` of which each row is to be counted up exactly once.
struct BatchFleet {
    let fleet: RepairFleet

    static func with(
        _ layout: Layout, _ tenants: [String] = ["a"], rows: Int, _ body: (BatchFleet) async throws -> Void
    ) async throws {
        try await RepairFleet.with(layout, tenants) { fleet in
            let batches = BatchFleet(fleet: fleet)
            for tenant in tenants {
                let table = batches.table(tenant)
                try fleet.sql(
                    tenant,
                    """
                    CREATE TABLE \(table) (id integer PRIMARY KEY, touched integer NOT NULL DEFAULT 0);
                    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(rows))
                    INSERT INTO \(table) (id) SELECT i FROM n;
                    """)
            }
            try await body(batches)
        }
    }

    var layout: Layout { fleet.layout }

    func table(_ tenant: String) -> String { layout == .schemas ? "\(tenant).items" : "items" }

    /// Adds 1 to each row, page by page.
    var keyset: String {
        layout == .files
            ? """
            UPDATE items SET touched = touched + 1 WHERE id IN
                (SELECT id FROM items WHERE id > coalesce(:cursor, 0) ORDER BY id LIMIT :limit) RETURNING id AS cursor
            """
            : """
            WITH page AS (SELECT id FROM items WHERE id > coalesce(:cursor, 0) ORDER BY id LIMIT :limit),
            done AS (UPDATE items SET touched = touched + 1 FROM page WHERE items.id = page.id)
            SELECT max(id) AS cursor, count(*) AS rows FROM page
            """
    }

    /// Adds 1 to each row that has none, until there is none left.
    let untilNone = """
        UPDATE items SET touched = touched + 1 WHERE id IN (SELECT id FROM items WHERE touched = 0 LIMIT :limit)
        """

    func work(_ statement: String, change: (inout BatchWork) -> Void = { _ in }) -> BatchWork {
        let script = script("batch.sql", statement)
        let read = BatchStatement(script.statements[0], dialect: layout == .files ? .sqlite : .postgresql)
        var work = BatchWork(script: script, statement: read.text, parameters: read.parameters, size: 10, target: nil)
        change(&work)
        return work
    }

    func script(_ path: String, _ statement: String) -> SQLScript {
        SQLLexer.script(
            path: path, text: statement, dialect: layout == .files ? .sqlite : .postgresql, transactional: true
        ).script
    }

    func runbook(_ work: BatchWork, change: (inout Runbook) -> Void = { _ in }) -> Runbook {
        var runbook = Runbook(
            id: "fill", phase: "pre-deploy", transaction: false, action: .batch(work), checksum: work.script.checksum)
        change(&runbook)
        return runbook
    }

    /// How many rows were counted up how often, as `0: 3, 1: 97`.
    func counts(_ tenant: String = "a") throws -> String {
        let session = try fleet.open(tenant)
        defer { session.close() }
        return try session.rows("SELECT touched, count(*) FROM \(table(tenant)) GROUP BY 1 ORDER BY 1")
            .map { "\($0[0].text ?? ""): \($0[1].text ?? "")" }.joined(separator: ", ")
    }

    /// State, cursor and rows of the receipt: the ledger's row where that is it.
    func receipt(_ tenant: String = "a") throws -> [String] {
        layout == .schemas
            ? try fleet.ledger("SELECT state, cursor, rows_affected FROM muster.executions WHERE tenant = '\(tenant)'")
            : try fleet.receipts(tenant, "SELECT state, cursor, rows_affected FROM {m}receipts")
    }
}
