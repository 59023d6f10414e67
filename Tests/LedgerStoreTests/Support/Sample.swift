import Foundation
import LedgerStore
import RunbookModel

/// Runbooks, scopes and runs as tests need them.
enum Sample {
    static let checksum = "sha256:a"

    static func runbook(
        _ id: String, key: String = "1", checksum: String = checksum, phase: String = "pre-deploy",
        scope: RunbookScope = .tenant, match: [String: [String]] = [:], onChange: ChangePolicy = .fail
    ) -> Runbook {
        Runbook(
            id: id, key: key, phase: phase, scope: scope, match: match, onChange: onChange,
            action: .exec(HookCommand(arguments: ["true"], timeout: .seconds(1))), checksum: checksum)
    }

    static func draft(_ identity: String = "sha256:run", stages: Int = 1) -> RunDraft {
        RunDraft(
            identity: identity, phase: nil, selection: "everything", stages: stages,
            source: ManifestSource(path: "m.json5", folder: "/", text: "{}", digest: "sha256:m", secrets: []),
            release: "v1", revision: nil, door: "cli", initiator: Initiator(kind: "user", name: "tester"))
    }

    /// Every runbook in every tenant, the tenants in one cohort.
    static func scope(
        _ tenants: [String], _ runbooks: [Runbook] = [runbook("r")], stage: Int = 0
    ) -> LedgerScope {
        LedgerScope(
            tenants: tenants.map { LedgerScope.ScopedTenant(id: $0, cohort: 0, stage: stage) },
            identities: runbooks.map {
                LedgerScope.ScopedIdentity(
                    identity: $0.identity, checksum: $0.checksum, acceptsChange: $0.onChange == .accept)
            },
            members: runbooks.indices.map { LedgerScope.Member(cohort: 0, identity: $0) })
    }

    static func names(_ count: Int) -> [String] { (0..<count).map { String(format: "t%05d", $0) } }

    static func ticket(
        _ job: ClaimedJob, run: String, runner: String = "a", runbook: Runbook = runbook("r"),
        workspace: String = "default", holdsOneTenant: Bool = false, mayRepeat: Bool = false,
        proven: [Identity]? = nil, token: String = "token"
    ) -> ClaimTicket {
        ClaimTicket(
            workspace: workspace, tenant: job.tenant, holdsOneTenant: holdsOneTenant, runbook: runbook,
            mayRepeat: mayRepeat, run: run, runner: runner, host: "here", job: job, proven: proven, token: token)
    }

    /// What a worker answers after one runbook.
    static func result(
        _ job: ClaimedJob, _ state: JobState = .succeeded, _ outcomes: [ExecutionOutcome]? = nil,
        nextStage: Int? = nil
    ) -> JobResult {
        JobResult(
            job: job, state: state, nextStage: nextStage,
            executions: outcomes ?? [outcome(state == .succeeded ? .succeeded : .failed)])
    }

    static func outcome(
        _ state: ExecutionState, _ runbook: Runbook = runbook("r"), wasDone: Bool = false, hasDrifted: Bool = false,
        tries: Int = 1, isRecorded: Bool = false, message: String = "it broke"
    ) -> ExecutionOutcome {
        let failure = Failure(
            tenant: nil, runbook: runbook.id, key: runbook.key, state: state.rawValue, clean: true, sqlstate: "22012",
            message: message, detail: "a detail", hint: "a hint", file: "sql/1.sql", line: 3, statement: "select 1/0")
        return ExecutionOutcome(
            identity: runbook.identity, checksum: runbook.checksum, state: state, wasDone: wasDone,
            hasDrifted: hasDrifted, tries: tries, isRecorded: isRecorded, rowsAffected: state == .succeeded ? 7 : nil,
            durationMS: 1500, failure: state == .succeeded ? nil : failure, output: "said")
    }
}

extension Ledger {
    /// A run over these tenants, with a runner of that name.
    func begin(
        _ tenants: [String], _ runbooks: [Runbook] = [Sample.runbook("r")], identity: String = "sha256:run",
        stages: Int = 1, stage: Int = 0, runner: String? = "a"
    ) throws -> String? {
        let run = try startRun(
            Sample.draft(identity, stages: stages), jobs: Sample.scope(tenants, runbooks, stage: stage), settled: 0)
        if let run, let runner { try addRunner(runner, run: run.id, host: "here", pid: 1) }
        return run?.id
    }
}
