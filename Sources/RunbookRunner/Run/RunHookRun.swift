import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// A hook around a run or a tenant that this runner is to start.
struct HookOrder: Sendable {
    let start: HookStart
    let command: HookCommand
    let occasion: HookOccasion
    /// The tenant that it is about; nil for the run.
    var member: TenantSet.Member?
}

/// One start of such a hook, tried again as often as it asks for that, and what its end means.
struct RunHookRun: Sendable {
    let order: HookOrder
    let manifest: Manifest
    let mask: SecretMask
    let stop: StopSwitch
    let phase: String?
    var isDryRun = false
    /// Keeps the process group on record as soon as there is one.
    var note: @Sendable (Int32) -> Void = { _ in }

    func run() -> RunHookVerdict {
        var tries = 1
        while true {
            let verdict = attempt(order.start.attempt + tries - 1)
            guard verdict.asksForAnotherTry, !isDryRun, tries <= manifest.hooks.retries else { return verdict }
            stop.pause(RetryDecision.delay(afterTry: tries, random: .random(in: 0...1)))
            if stop.isStopping { return .interrupted }
            tries += 1
        }
    }

    private func attempt(_ number: Int) -> RunHookVerdict {
        let target = order.member?.target
        let url: ConnectionURL
        do throws(DatabaseError) {
            url = try ConnectionURL(parsing: (target?.url ?? manifest.ledger.url).revealed)
        } catch {
            return failed(error.message)
        }
        // For the run the ledger's address is its own; around it nothing but what goes past a pooler leads further.
        let fleet =
            order.member == nil ? [manifest.ledger.directURL] : [manifest.ledger.url, manifest.ledger.directURL]
        var facts = HookFacts(
            runID: order.start.run, workspace: manifest.workspace, identity: order.start.identity,
            tenant: order.member?.tenant.id, schema: target?.schema, url: url, attempt: number,
            phase: phase ?? "", isDryRun: isDryRun)
        facts.isRollback = manifest.isUndoing
        let environment = HookEnvironment(
            facts, inherited: ProcessInfo.processInfo.environment, fleet: fleet.compactMap(\.self),
            occasion: order.occasion)
        let process = HookProcess(
            arguments: order.command.arguments, environment: environment.variables, folder: manifest.source.folder,
            input: environment.input, timeout: order.command.timeout)
        do throws(HookError) {
            let end = try stop.interrupting(process.interrupter) { () throws(HookError) in
                Failpoint.pass(.runHook, .before)
                let end = try process.run(onStart: note)
                Failpoint.pass(.runHook, .after)
                return end
            }
            return meaning(of: end, output: mask.text(url.masking(end.output)))
        } catch {
            return error.code == .interrupted ? .interrupted : failed(mask.text(error.message))
        }
    }

    private func meaning(of end: HookEnd, output: String) -> RunHookVerdict {
        switch end.cause {
        case .exited(0): .passed
        case .exited(75): failed("says try again (exit 75)", 75, output)
        case .exited(let code): failed("ended with exit \(code)", code, output)
        case .signaled(let signal): failed("was ended by signal \(signal)", nil, output)
        case .timedOut:
            failed("was ended after its time limit (\(DurationText.text(order.command.timeout)))", nil, output)
        case .interrupted: .interrupted
        }
    }

    private func failed(_ what: String, _ code: Int32? = nil, _ output: String = "") -> RunHookVerdict {
        let lines = output.split(separator: "\n").suffix(5).joined(separator: "\n")
        return .failed(code: code, message: "\(name) \(what)", output: lines.nilIfEmpty)
    }

    /// `before_run hooks/prepare`
    private var name: String {
        let program = order.command.arguments.first ?? ""
        let folder = manifest.source.folder + "/"
        let shown = program.hasPrefix(folder) ? String(program.dropFirst(folder.count)) : program
        return "\(order.start.hook.rawValue) \(shown)"
    }
}

extension HookStart {
    /// What stands in place of a runbook's: the same for every attempt in one run.
    var identity: Identity { Identity(runbook: hook.rawValue, key: run) }
}
