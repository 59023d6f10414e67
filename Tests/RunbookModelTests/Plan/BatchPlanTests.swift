import RunbookModel
import Testing

/// What becomes of a backfill that was begun.
struct BatchPlanTests {
    private func decision(_ state: ExecutionState, clean: Bool?, isSame: Bool, _ policy: ChangePolicy) -> PlanDecision?
    {
        let script = SQLScript(path: "b.sql", text: "", statements: [], checksum: "sha256:now")
        let runbook = Runbook(
            id: "b", phase: "one", transaction: false, onChange: policy,
            action: .batch(BatchWork(script: script, statement: "", parameters: [.limit])), checksum: "sha256:now")
        let manifest = Manifest(
            workspace: "w", ledger: LedgerSettings(url: Redacted("")), tenants: TenantSettings(source: .list([])),
            concurrency: Concurrency(), phases: ["one"], runbooks: [runbook],
            source: ManifestSource(path: "", folder: "", text: "", digest: "", secrets: []))
        let recorded = RecordedExecution(state: state, clean: clean, checksum: isSame ? "sha256:now" : "sha256:old")
        return TenantPlanner(manifest: manifest, selection: Selection())
            .steps(scope: .tenant, labels: [:], recorded: [runbook.identity: recorded]).first?.decision
    }

    @Test("running, failed and unknown go on, under whatever body; done is done", arguments: ExecutionState.allCases)
    func everyState(state: ExecutionState) {
        for clean in [nil, true, false] as [Bool?] {
            for isSame in [true, false] {
                for policy in ChangePolicy.allCases {
                    let expected: PlanDecision =
                        state.isDone && (isSame || policy == .accept)
                        ? .done : state.isDone && policy == .fail ? .drifted : .run
                    #expect(decision(state, clean: clean, isSame: isSame, policy) == expected)
                }
            }
        }
    }
}
