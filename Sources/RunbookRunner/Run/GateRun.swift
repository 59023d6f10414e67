import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// A gate that is to be asked before the wave behind it begins.
struct GateQuestion: Sendable {
    let wave: String
    let gate: WaveGate
    /// Of the wave that has ended.
    let place: Int
}

enum GateAnswer: Sendable {
    case passed
    /// Why the next wave must not begin.
    case refused(String)
    /// Not yet: ask again after a while.
    case again(String)
    case interrupted
}

/// Asks a gate, once.
struct GateRun {
    private static let queryLimit = Duration.seconds(900)

    let question: GateQuestion
    let context: RunContext

    func run() -> GateAnswer {
        switch question.gate {
        case .sql(let script): ask(script)
        case .exec(let command): start(command)
        }
    }

    private func ask(_ script: SQLScript) -> GateAnswer {
        do throws(DatabaseError) {
            let settings = context.manifest.ledger
            let session = try context.opener.open(
                try ConnectionURL(parsing: settings.url.revealed),
                SessionOptions(applicationName: context.applicationName, isReadOnly: true))
            defer { session.close() }
            let interrupter = session.interrupter
            let (result, _) = TimeLimit.enforce(Self.queryLimit, on: interrupter) { _ in
                Result { () throws(DatabaseError) -> Bool? in
                    try context.stop.interrupting(interrupter) { () throws(DatabaseError) -> Bool? in
                        switch session.dialect {
                        case .postgresql: try PostgresVerify.ask(script, on: session)
                        case .sqlite: try session.row(script.statements.first?.text ?? script.text)?[0].boolean
                        }
                    }
                }
            }
            let answer = try result.get()
            guard answer != true else { return .passed }
            return .refused("\(script.path) answered \(answer.map(String.init) ?? "null"), not true")
        } catch {
            let message = context.mask.text("\(script.path): \(error.message)")
            switch error.code {
            case .interrupted where context.stop.isCancelling: return .interrupted
            case .interrupted: return .refused("\(script.path) took longer than \(DurationText.text(Self.queryLimit))")
            case .unreachable, .connectionLost, .busy: return .again(message)
            default: return error.isTransient ? .again(message) : .refused(message)
            }
        }
    }

    private func start(_ command: HookCommand) -> GateAnswer {
        let program = command.arguments.first ?? ""
        let settings = context.manifest.ledger
        let url: ConnectionURL
        do throws(DatabaseError) { url = try ConnectionURL(parsing: settings.url.revealed) } catch {
            return .refused(error.message)
        }
        var facts = HookFacts(
            runID: context.run, workspace: context.manifest.workspace,
            identity: Identity(runbook: "gate", key: question.wave), tenant: nil, url: url, attempt: 1,
            phase: context.phase ?? "")
        facts.isRollback = context.manifest.isUndoing
        let environment = HookEnvironment(
            facts, inherited: ProcessInfo.processInfo.environment, fleet: [settings.directURL].compactMap(\.self))
        let process = HookProcess(
            arguments: command.arguments,
            environment: environment.variables.merging(["MUSTER_WAVE": question.wave]) { $1 },
            folder: context.manifest.source.folder, input: environment.input, timeout: command.timeout)
        do throws(HookError) {
            let end = try context.stop.interrupting(process.interrupter) { () throws(HookError) in
                try process.run()
            }
            let said = end.output.split(separator: "\n").last.map { ": \($0)" } ?? ""
            let output = context.mask.text(url.masking(said))
            switch end.cause {
            case .exited(0): return .passed
            case .exited(75): return .again("\(program) says try again (exit 75)\(output)")
            case .exited(let code): return .refused("\(program) ended with exit \(code)\(output)")
            case .signaled(let signal): return .refused("\(program) was ended by signal \(signal)")
            case .timedOut: return .refused("\(program) took longer than \(DurationText.text(command.timeout))")
            case .interrupted: return .interrupted
            }
        } catch {
            return .refused(context.mask.text(error.message))
        }
    }
}
