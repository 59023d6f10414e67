import DatabaseAccess
import FoundationEssentials
import RunbookModel

/// Asks the manifest's source for the tenants.
struct TenantDirectory {
    let manifest: Manifest
    let opener: any SessionOpener
    /// Ends a question under way.
    var stop = StopSwitch()
    /// A session that has nothing under way, for a question to the database that the ledger is in.
    var ledger: (session: any DatabaseSession, url: Redacted)?

    /// The whole set, validated, with the target of each.
    func all() throws(ServiceError) -> TenantSet {
        let resolver: TargetResolver
        do { resolver = try TargetResolver(manifest.tenants, ledger: manifest.ledger) } catch {
            throw ServiceError(.manifest, "\(error)")
        }
        var builder = TenantSetBuilder(resolver: resolver)
        do {
            try tenants(&builder)
            return try builder.finished()
        } catch let error as TenantSetError {
            throw ServiceError(.tenants, "\(error)")
        } catch let error as ServiceError {
            throw error
        } catch {
            throw ServiceError(.tenants, "\(error)")
        }
    }

    private func tenants(_ builder: inout TenantSetBuilder) throws {
        switch manifest.tenants.source {
        case .list(let tenants): for tenant in tenants { builder.add(tenant) }
        case .query(let sql, let url): try query(sql, url ?? manifest.ledger.url, &builder)
        case .files(let pattern): for tenant in try files(pattern) { builder.add(tenant) }
        case .command(let arguments):
            let command = TenantCommand(arguments: arguments, folder: manifest.source.folder, stop: stop)
            for tenant in try command.tenants() { builder.add(tenant) }
        }
    }

    /// One statement where nothing can be written: its first query is ours, so that the transaction's mode is fixed, and
    /// the extended protocol refuses a second statement.
    private func query(_ sql: String, _ address: Redacted, _ builder: inout TenantSetBuilder) throws {
        do {
            let ours = ledger.flatMap { $0.url.revealed == address.revealed ? $0.session : nil }
            let session = try ours ?? open(address)
            // What the query set for its session ends with it, or is taken back.
            defer { if ours == nil { session.close() } }
            var rows = 0
            var problem: TenantFinding?
            let isPostgres = session.dialect == .postgresql
            // Behind a first query it cannot be made one that writes.
            let beginning = isPostgres ? ["BEGIN READ ONLY", "SELECT 1"] : ["BEGIN"]
            // One message: behind a pooler the next one may meet another server.
            let ending = ["ROLLBACK"] + (ours != nil && isPostgres ? SessionReset.statements : [])
            try stop.interrupting(session.interrupter) { () throws(DatabaseError) in
                try session.query(sql, [], inTransaction: beginning, endedBy: ending) { row throws(DatabaseError) in
                    guard problem == nil else { return }
                    do throws(TenantFinding) {
                        rows += 1
                        builder.add(
                            rows == 1
                                ? try TenantLine.tenant(
                                    row: row.columns.indices.map { (column: row.columns[$0], text: row[$0].text) },
                                    number: rows)
                                : try TenantLine.tenant(further: row.columns, { row[$0].text }, number: rows))
                    } catch { problem = error }
                }
                return ()
            }
            if let problem { throw ServiceError(.tenants, "tenants.query: \(problem)") }
        } catch let error as DatabaseError {
            let code: ServiceError.Code =
                switch error.code {
                case .unreachable, .connectionLost: .unreachable
                case .interrupted: .interrupted
                default: .tenants
                }
            throw ServiceError(code, "tenants.query: \(error)")
        }
    }

    private func open(_ address: Redacted) throws(DatabaseError) -> any DatabaseSession {
        let options = SessionOptions(applicationName: "muster/tenants", isReadOnly: true)
        return try opener.open(try ConnectionURL(parsing: address.revealed), options)
    }

    private func files(_ pattern: String) throws -> [Tenant] {
        var ledger: String?
        if let url = try? ConnectionURL(parsing: manifest.ledger.url.revealed) { ledger = url.path }
        return try FilePattern(pattern, in: manifest.source.folder).tenants(besides: ledger)
    }
}
