import DatabaseAccess
import FoundationEssentials
import RunbookModel

/// A hook that declares `dry_run`, started with `MUSTER_DRY_RUN=1` outside of any lock.
struct HookRehearsal {
    let runbook: Runbook
    let member: TenantSet.Member
    let context: RehearsalContext

    func run() -> RehearsalStepEnd {
        guard case .exec(let command) = runbook.action, command.dryRun else {
            return .obstacle(.stopped, "no hook with dry_run")
        }
        let url: ConnectionURL
        do throws(DatabaseError) { url = try ConnectionURL(parsing: member.target.url.revealed) } catch {
            return .failed(runbook.failure(tenant: member.tenant.id, error.message, clean: true))
        }
        let settings = context.manifest.ledger
        let environment = HookEnvironment(
            HookFacts(
                runID: "rehearsal", workspace: context.manifest.workspace, identity: runbook.identity,
                tenant: member.tenant.id.nilIfEmpty, schema: member.target.schema, url: url, attempt: 1,
                phase: runbook.phase, isDryRun: true),
            inherited: ProcessInfo.processInfo.environment,
            fleet: [settings.url, settings.directURL].compactMap(\.self))
        let process = HookProcess(
            arguments: command.arguments, environment: environment.variables, folder: context.manifest.source.folder,
            input: environment.input, timeout: command.timeout)
        do throws(HookError) {
            let end = try context.stop.interrupting(process.interrupter) { () throws(HookError) in try process.run() }
            return meaning(of: end, output: url.masking(end.output), command)
        } catch {
            return .failed(failure(error.message, "", command))
        }
    }

    private func meaning(of end: HookEnd, output: String, _ command: HookCommand) -> RehearsalStepEnd {
        switch end.cause {
        case .exited(0): .succeeded(rows: 0)
        case .exited(75): .obstacle(.busy, "\(runbook.id) says try again (exit 75)")
        case .exited(let code): .failed(failure("the hook's dry run ended with exit \(code)", output, command))
        case .signaled(let signal):
            .failed(failure("the hook's dry run was ended by signal \(signal)", output, command))
        case .timedOut:
            .failed(
                failure(
                    "the hook's dry run was ended after its time limit (\(DurationText.text(command.timeout)))", output,
                    command))
        case .interrupted: .obstacle(.stopped, "stopped")
        }
    }

    private func failure(_ message: String, _ output: String, _ command: HookCommand) -> Failure {
        var failure = runbook.failure(tenant: member.tenant.id, message, clean: true)
        failure.detail = output.split(separator: "\n").suffix(5).joined(separator: "\n").nilIfEmpty
        failure.file = command.arguments.first
        return failure
    }
}
