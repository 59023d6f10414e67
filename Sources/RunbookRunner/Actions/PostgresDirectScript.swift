import DatabaseAccess
import FoundationEssentials
import RunbookModel

/// An index that a build which did not end well has left.
struct InvalidIndex: Hashable {
    /// Quoted where it must be: fit for DROP INDEX.
    var qualifiedName: String
    var name: String
}

/// The statements of a `transaction: false` script, sent one by one, each its own transaction.
struct PostgresDirectScript {
    let runbook: Runbook
    let script: SQLScript
    let target: TenantTarget
    let tenant: String
    let connection: TenantConnection

    func run() -> WorkEnd {
        let session = connection.session
        var rows = 0
        var notices: [String] = []
        session.onNotice = { notices.append($0) }
        defer { session.onNotice = nil }
        var invalidBefore: Set<InvalidIndex> = []
        do throws(DatabaseError) {
            invalidBefore = try invalidIndexes()
            try setUp()
        } catch {
            return .failed(place.failure(error, offset: nil, statement: nil, clean: true), output: nil)
        }
        for (index, statement) in script.statements.enumerated() {
            do throws(DatabaseError) {
                // Time limits kill a concurrent build as surely as a deadlock, and leave an invalid index.
                if statement.isConcurrent { try session.run("SET statement_timeout = 0; SET lock_timeout = 0") }
                try Failpoint.reach(.directStatement, .before)
                try session.run(statement.text, as: nil) { _, result in rows += result.rowsAffected }
                Failpoint.pass(.directStatement, .after)
                if session.isInTransaction {
                    throw DatabaseError(.refused, "the statement left a transaction open")
                }
                if statement.isConcurrent { try setUp() }
            } catch {
                return failure(error, statement, index, invalidBefore)
            }
        }
        do throws(DatabaseError) {
            let left = try leftovers(since: invalidBefore)
            guard left.isEmpty else { return .failed(invalid(left), output: nil) }
        } catch {
            return .unknown(place.failure(error, offset: nil, statement: nil, clean: false), output: nil)
        }
        return .succeeded(rows: rows, output: notices.joined(separator: "\n").nilIfEmpty)
    }

    private func setUp() throws(DatabaseError) {
        let settings = PostgresSettings(
            target: target, limits: runbook.limits, serverVersion: connection.place?.version ?? 0)
        let assertion = try settings.assertion() ?? ""
        try connection.session.run(try settings.text(isLocal: false).text + assertion)
    }

    private func failure(
        _ error: DatabaseError, _ statement: SQLStatement, _ index: Int, _ before: Set<InvalidIndex>
    ) -> WorkEnd {
        let offset = error.position.map { statement.offset + $0 - 1 }
        // The first statement failed as a whole; a concurrent one still leaves an index behind.
        let isClean = index == 0 && !statement.isConcurrent
        var failure = place.failure(error, offset: offset, statement: index, clean: isClean)
        guard connection.session.isUsable else { return .unknown(failure, output: nil) }
        do throws(DatabaseError) {
            if connection.session.isInTransaction { try connection.session.run("ROLLBACK") }
            let left = try leftovers(since: before)
            if !left.isEmpty { failure.detail = invalid(left).message }
            if left.isEmpty, index == 0 { failure.clean = true }
        } catch {
            failure.detail = "Whether an invalid index was left could not be asked: \(error.message)"
        }
        return .failed(failure, output: nil)
    }

    private func invalid(_ indexes: Set<InvalidIndex>) -> Failure {
        let names = indexes.map(\.qualifiedName).sorted()
        var failure = runbook.failure(
            tenant: tenant, "left behind: invalid index \(names.joined(separator: ", "))", clean: false,
            hint: names.map { "DROP INDEX CONCURRENTLY \($0);" }.joined(separator: " "))
        failure.file = script.path
        failure.line = script.statements.first { $0.isConcurrent }?.line
        return failure
    }

    /// Invalid indexes that were not there before, and those that were there under a name that the script builds: with
    /// IF NOT EXISTS the server takes them for good ones.
    private func leftovers(since before: Set<InvalidIndex>) throws(DatabaseError) -> Set<InvalidIndex> {
        let builds = script.statements.filter(\.isConcurrent).map { $0.text.lowercased() }
        return try invalidIndexes().filter { index in
            !before.contains(index) || builds.contains { $0.contains(index.name.lowercased()) }
        }
    }

    /// Indexes that are not valid and that nobody is building, in the schemas the script may reach.
    private func invalidIndexes() throws(DatabaseError) -> Set<InvalidIndex> {
        let schemas = target.searchPath ?? target.schema.map { [$0] }
        let list = schemas.map { "{" + $0.map(Self.element).joined(separator: ",") + "}" }
        let rows = try connection.session.rows(
            """
            select pg_catalog.format('%I.%I', n.nspname, c.relname), c.relname::pg_catalog.text
            from pg_catalog.pg_index i
            join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) i.indexrelid
            join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
            where not i.indisvalid and c.relkind operator(pg_catalog.=) 'i'
              and ($1::pg_catalog.text is null
                or n.nspname::pg_catalog.text operator(pg_catalog.=) any ($1::pg_catalog.text[]))
              and not exists (select 1 from pg_catalog.pg_stat_progress_create_index p
                where p.index_relid operator(pg_catalog.=) i.indexrelid
                  and p.pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid())
            """, [DatabaseValue(list)])
        return Set(
            rows.map { InvalidIndex(qualifiedName: $0[0].text ?? "", name: $0[1].text ?? "") })
    }

    private static func element(_ name: String) -> String {
        var out = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { out += "\\" }
            out.unicodeScalars.append(scalar)
        }
        return out + "\""
    }

    private var place: ScriptPlace { ScriptPlace(script: script, tenant: tenant, runbook: runbook) }
}
