package import DatabaseAccess
package import RunbookModel

/// What a completed run left undone.
package struct UnfinishedRun: Sendable {
    package var status: RunStatus
    package var kind: RunKind
    /// Of a rollback of what one run has done: that run.
    package var undoes: String?
    package var phase: String?
    /// As a person would read it.
    package var selection: String
    /// The manifest before expansion.
    package var manifest: String
    /// Its jobs are gone: it ended longer ago than the retention.
    package var isFolded: Bool
    /// Tenants whose jobs did not end well, in their order; an empty name is the workspace's own.
    package var tenants: [String]
}

extension Ledger {
    /// - Returns: nil when there is no such run.
    package func unfinished(ofRun id: String) throws(DatabaseError) -> UnfinishedRun? {
        let found = try row(
            """
            select status, phase, selection, manifest, folded_at is not null, kind, undoes from \(sql.runs)
            where workspace = $1 and id = $2
            """, [.text(workspace), .text(id)])
        guard let found else { return nil }
        let tenants = try rows(
            """
            select tenant from \(sql.jobs) where run_id = $1 and state not in ('succeeded', 'skipped')
            order by position
            """, [.text(id)])
        return UnfinishedRun(
            status: found[0].text.flatMap(RunStatus.init) ?? .completed,
            kind: found[5].text.flatMap(RunKind.init) ?? .apply, undoes: found[6].text, phase: found[1].text,
            selection: found[2].text ?? "", manifest: found[3].text ?? "", isFolded: found[4].boolean == true,
            tenants: tenants.compactMap { $0[0].text })
    }
}
