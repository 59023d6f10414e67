import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// One start of a hook for one execution, and what its end means.
struct HookRun {
    let runbook: Runbook
    let command: HookCommand
    let tenant: Tenant
    let target: TenantTarget
    let ticket: ClaimTicket
    let context: RunContext
    /// Keeps the process group on record as soon as there is one.
    let note: (Int32) -> Void

    /// - Parameter lockIsHeld: asked every two seconds; the hook is ended when the tenant's lock is lost.
    func run(attempt: Int, lockIsHeld: @escaping () -> Bool) -> WorkEnd {
        let url: ConnectionURL
        do throws(DatabaseError) { url = try ConnectionURL(parsing: target.url.revealed) } catch {
            return .failed(failure(error.message, clean: true), output: nil)
        }
        let settings = context.manifest.ledger
        var facts = HookFacts(
            runID: context.run, workspace: ticket.workspace, identity: runbook.identity,
            tenant: tenant.id.nilIfEmpty, schema: target.schema, url: url, attempt: attempt, phase: runbook.phase)
        facts.isRollback = runbook.undoes != nil
        let environment = HookEnvironment(
            facts, inherited: ProcessInfo.processInfo.environment,
            fleet: [settings.url, settings.directURL].compactMap(\.self))
        let process = HookProcess(
            arguments: command.arguments, environment: environment.variables, folder: context.manifest.source.folder,
            input: environment.input, timeout: command.timeout)
        do throws(HookError) {
            var lockIsLost = false
            let heartbeat = HookProcess.Heartbeat(every: .seconds(2)) {
                lockIsLost = !lockIsHeld()
                return !lockIsLost
            }
            let end = try context.stop.interrupting(process.interrupter) { () throws(HookError) in
                Failpoint.pass(.hook, .before)
                let end = try process.run(onStart: note, heartbeat: heartbeat)
                Failpoint.pass(.hook, .after)
                return end
            }
            return meaning(of: end, output: url.masking(end.output), lockIsLost: lockIsLost)
        } catch {
            // Nothing of it has run.
            return .failed(failure(error.message, clean: true), output: nil)
        }
    }

    private func meaning(of end: HookEnd, output: String, lockIsLost: Bool) -> WorkEnd {
        switch end.cause {
        case .exited(0): return .succeeded(rows: nil, output: output)
        case .exited(75): return .tryAgain(failure("the hook says try again (exit 75)", output), output: output)
        case .exited(let code): return .failed(failure("the hook ended with exit \(code)", output), output: output)
        case .signaled(let signal):
            return .unknown(failure("the hook was ended by signal \(signal)", output), output: output)
        case .timedOut:
            return .unknown(
                failure("the hook was ended after its time limit (\(DurationText.text(command.timeout)))", output),
                output: output)
        case .interrupted where lockIsLost:
            return .unknown(failure("the hook was ended, because the tenant's lock was lost", output), output: output)
        case .interrupted: return .unknown(failure("the hook was interrupted", output), output: output)
        }
    }

    private func failure(_ message: String, _ output: String) -> Failure {
        var failure = failure(message, clean: false)
        let lines = output.split(separator: "\n").suffix(5).joined(separator: "\n")
        failure.detail = lines.nilIfEmpty
        return failure
    }

    private func failure(_ message: String, clean: Bool) -> Failure {
        var failure = runbook.failure(tenant: tenant.id, message, clean: clean)
        failure.file = command.arguments.first
        return failure
    }
}
