import DatabaseAccess
import FoundationEssentials
private import Glibc
import RunbookModel

/// A program that prints one tenant a line, as JSON.
struct TenantCommand {
    let arguments: [String]
    let folder: String
    let stop: StopSwitch

    /// - Throws: `ServiceError` when it cannot be started, ends with another code than 0, or prints a bad line.
    func tenants() throws -> [Tenant] {
        let program = arguments.first ?? ""
        let process = HookProcess(
            arguments: arguments, environment: ProcessInfo.processInfo.environment, folder: folder,
            errors: STDERR_FILENO, timeout: .seconds(86_400),
            // A list that is cut off would be a smaller fleet: whoever still writes it has the time for that.
            teardown: HookTeardown([.init(signal: SIGTERM, grace: .seconds(1))], drain: .seconds(5)))
        var data: [UInt8] = []
        let cause: HookEnd.Cause
        do throws(HookError) {
            cause = try stop.interrupting(process.interrupter) { () throws(HookError) in
                try process.run(onOutput: { data += $0 }).cause
            }
        } catch {
            throw ServiceError(error.code == .interrupted ? .interrupted : .tenants, "tenants.command: \(error)")
        }
        switch cause {
        case .exited(0): break
        case .exited(let code):
            throw ServiceError(
                code == 75 ? .unreachable : .tenants,
                "tenants.command: \(program) ended with \(code); its list is not trusted")
        case .signaled(let signal):
            throw ServiceError(
                .tenants, "tenants.command: \(program) was ended by signal \(signal); its list is not trusted")
        case .timedOut: throw ServiceError(.tenants, "tenants.command: \(program) did not end within a day")
        case .interrupted: throw ServiceError(.interrupted, "tenants.command: \(program) was ended")
        }
        do throws(TenantFinding) { return try TenantLine.tenants(lines: data) } catch {
            throw ServiceError(.tenants, "tenants.command: \(error)")
        }
    }
}
