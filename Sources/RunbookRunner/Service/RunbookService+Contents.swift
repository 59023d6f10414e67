import DatabaseAccess
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// What the ledger holds: identities with counts; with tenants, each record of theirs as well.
    package func contents(
        ledger settings: LedgerSettings, workspace: String, runbooks: [String], tenants: [String]
    ) async throws(ServiceError) -> LedgerContents {
        let found = try await reading(settings, workspace) { desk async throws(ServiceError) in
            try await desk.contents(runbooks: runbooks, tenants: tenants)
        }
        return found ?? LedgerContents(ok: true, exitCode: 0, workspace: workspace)
    }

    /// Hands over every record, a page of tenants at a time; no two pages are held at once.
    ///
    /// - Parameter onlyDone: what never runs again, else everything on record.
    package func export(
        ledger settings: LedgerSettings, workspace: String, onlyDone: Bool, to take: ([LedgerRecord]) throws -> Void
    ) async throws {
        let desk = LedgerDesk(opener: opener, ledger: settings, workspace: workspace)
        do {
            guard try await desk.openForReading() else { throw ServiceError(.ledger, "There is no ledger to export.") }
            var last: String?
            repeat {
                let page = try await desk.page(after: last, onlyDone: onlyDone)
                try take(page.records)
                last = page.last
            } while last != nil
            await desk.close()
        } catch {
            await desk.close()
            throw error
        }
    }
}

extension LedgerDesk {
    func contents(runbooks: [String], tenants: [String]) throws(ServiceError) -> LedgerContents {
        let chosen = { (runbook: String, key: String) in
            runbooks.isEmpty || runbooks.contains(runbook) || runbooks.contains("\(runbook)@\(key)")
        }
        var contents = try read { ledger throws(DatabaseError) in
            var contents = LedgerContents(ok: true, exitCode: 0, workspace: ledger.workspace)
            contents.tenants = try ledger.lastTenantCount() ?? 0
            contents.identities = try ledger.contents()
            guard !tenants.isEmpty else { return contents }
            var records: [LedgerRecord] = []
            for tenant in tenants { records += try ledger.contents(of: tenant) }
            contents.records = records
            return contents
        }
        for name in runbooks
        where !contents.identities.contains(where: { $0.runbook == name || "\($0.runbook)@\($0.key)" == name }) {
            throw ServiceError(.unknownName, "The ledger has never seen a runbook \"\(name)\".")
        }
        if let records = contents.records {
            let seen = try read { ledger throws(DatabaseError) in try ledger.lastSeen().tenants }
            let known = Set(seen).union(records.compactMap(\.tenant))
            for tenant in tenants where !known.contains(tenant) {
                throw ServiceError(.unknownName, "The ledger has never seen a tenant \"\(tenant)\".")
            }
        }
        contents.identities.removeAll { !chosen($0.runbook, $0.key) }
        contents.records?.removeAll { !chosen($0.runbook, $0.key) }
        return contents
    }

    func page(
        after tenant: String?, onlyDone: Bool
    ) throws(ServiceError) -> (records: [LedgerRecord], last: String?) {
        try read { ledger throws(DatabaseError) in try ledger.page(after: tenant, onlyDone: onlyDone) }
    }
}
