import DatabaseAccess
import LedgerStore
import RunbookModel
import Synchronization

/// Hooks around a run in a rehearsal: those that declare `dry_run` are started, outside of any lock; the others are listed.
final class HookRehearsals: Sendable {
    private let hooks: RunHooks
    private let context: RehearsalContext
    private let phase: String?
    private let seen = Mutex<[RehearsalReport.RehearsedHook]>([])

    init(_ context: RehearsalContext, phase: String?) {
        hooks = context.manifest.hooks
        self.context = context
        self.phase = phase
        for hook in hooks.declared where hooks[hook]?.dryRun != true {
            note(hook, nil, .notRehearsed, "a hook without dry_run: a rollback does not undo what it does")
        }
    }

    /// Starts the hook if it may be, on the worker's thread.
    func start(
        _ hook: RunHook, for member: TenantSet.Member? = nil, outcome: String? = nil, on worker: RehearsalWorker
    ) async {
        guard let command = hooks[hook], command.dryRun, !context.stop.isStopping else { return }
        if hook.isOfTenant, member?.tenant.id.isEmpty != false { return }
        let order = HookOrder(
            start: HookStart(hook: hook, run: "rehearsal", tenant: member?.tenant.id ?? "", attempt: 1),
            command: command, occasion: HookOccasion(hook: hook, outcome: outcome), member: member)
        let run = RunHookRun(
            order: order, manifest: context.manifest, mask: context.mask, stop: context.stop, phase: phase,
            isDryRun: true)
        switch await worker.start(run) {
        case .passed: note(hook, member, .wouldSucceed)
        case .failed(let code, let message, let output):
            let state: RehearsalState = code == 75 ? .notRehearsed : .wouldFail
            note(hook, member, state, message, code.map(Int.init), output)
        case .interrupted: note(hook, member, .notRehearsed, "stopped")
        }
    }

    /// The report with what was seen, and the exit status that apply would have by it.
    func taking(_ given: RehearsalReport) -> RehearsalReport {
        var report = given
        report.hooks = seen.withLock { $0 }.sorted { Self.place($0) < Self.place($1) }
        let failed = report.hooks.filter { $0.state == .wouldFail }
        guard !failed.isEmpty, let exit = ExitStatus(rawValue: Int32(report.exitCode)) else { return report }
        let isKept = failed.contains { $0.hook == .beforeRun }
        if exit == .done || (isKept && exit == .partial) {
            report.exitCode = Int((isKept ? ExitStatus.failed : .partial).rawValue)
            report.ok = false
            report.next = nil
            if isKept { report.outcome = .failed }
        }
        return report
    }

    private static func place(_ hook: RehearsalReport.RehearsedHook) -> String {
        "\(RunHook.allCases.firstIndex(of: hook.hook) ?? 0) \(hook.tenant ?? "")"
    }

    private func note(
        _ hook: RunHook, _ member: TenantSet.Member?, _ state: RehearsalState, _ reason: String? = nil,
        _ exitCode: Int? = nil, _ output: String? = nil
    ) {
        let noted = RehearsalReport.RehearsedHook(
            hook: hook, tenant: member?.tenant.id, state: state, exitCode: exitCode, reason: reason, output: output)
        seen.withLock { $0.append(noted) }
    }
}
