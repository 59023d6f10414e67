import RunbookModel

/// Runbooks and manifests for tests of what undoes them.
enum Runbooks {
    static let script = SQLScript(path: "s.sql", text: "select 1", statements: [], checksum: "sha256:s")

    static func runbook(
        _ id: String, phase: String = "one", after: [String] = [], scope: RunbookScope = .tenant,
        match: [String: [String]] = [:], barrier: Bool = false, isBatch: Bool = false, repeatable: Bool = false,
        onChange: ChangePolicy = .fail
    ) -> Runbook {
        let batch = BatchWork(script: script, statement: "select 1", parameters: [])
        return Runbook(
            id: id, phase: phase, after: after, scope: scope, match: match, barrier: barrier, repeatable: repeatable,
            onChange: onChange, action: isBatch ? .batch(batch) : .sql(script),
            rollback: RunbookUndo(action: .sql(script), checksum: "sha256:u"), checksum: "sha256:body")
    }

    static func manifest(_ runbooks: [Runbook]) -> Manifest {
        Manifest(
            workspace: "w", ledger: LedgerSettings(url: Redacted("")), tenants: TenantSettings(source: .list([])),
            concurrency: Concurrency(), phases: ["one", "two"], runbooks: runbooks,
            source: ManifestSource(path: "", folder: "", text: "", digest: "", secrets: []))
    }
}
