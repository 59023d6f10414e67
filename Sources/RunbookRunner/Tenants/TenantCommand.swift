import DatabaseAccess
import Foundation
import RunbookModel

/// A program that prints one tenant a line, as JSON.
struct TenantCommand {
    let arguments: [String]
    let folder: String
    let stop: StopSwitch

    /// - Throws: `ServiceError` when it cannot be started, ends with another code than 0, or prints a bad line.
    func tenants() throws -> [Tenant] {
        let process = Process()
        let program = arguments.first ?? ""
        process.executableURL = URL(fileURLWithPath: program.contains("/") ? program : "/usr/bin/env")
        process.arguments = program.contains("/") ? Array(arguments.dropFirst()) : arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.standardError
        do { try process.run() } catch {
            throw ServiceError(.tenants, "tenants.command: \(program) cannot be started: \(error.localizedDescription)")
        }
        let data = try stop.interrupting(Ending(process: process.processIdentifier)) {
            let data = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return data
        }
        guard !stop.isCancelling else { throw ServiceError(.interrupted, "tenants.command: \(program) was ended") }
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw ServiceError(
                process.terminationStatus == 75 ? .unreachable : .tenants,
                "tenants.command: \(program) ended with \(process.terminationStatus); its list is not trusted")
        }
        var tenants: [Tenant] = []
        for (index, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
            do throws(TenantFinding) {
                if let tenant = try TenantLine.tenant(json: line, number: index + 1) { tenants.append(tenant) }
            } catch {
                throw ServiceError(.tenants, "tenants.command: \(error)")
            }
        }
        return tenants
    }

    private final class Ending: StatementInterrupter {
        private let process: Int32

        init(process: Int32) { self.process = process }

        /// Not TERM: like this process, a child of Foundation's ignores it. With the children of its own group, if it has one.
        func interrupt() {
            kill(-process, SIGKILL)
            kill(process, SIGKILL)
        }
    }
}
