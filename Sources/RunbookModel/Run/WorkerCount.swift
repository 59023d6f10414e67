/// How many tenants a runner works on at once.
package struct WorkerCount {
    /// What the machine has for one process.
    package struct Machine: Sendable, Hashable {
        package var cores: Int
        /// How many files the process may have open; nil when there is no limit.
        package var descriptors: Int?

        package init(cores: Int, descriptors: Int?) {
            self.cores = cores
            self.descriptors = descriptors
        }
    }

    /// A commit in a file waits four times for the disk: journal, its header, its folder, the file. With more than four
    /// workers on a core they wait for each other.
    package static let filesPerCore = 4
    /// A worker's file, its journal or log, their folder while it is synced, the shared memory, temporary files, the lock
    /// file, and what connects it with a hook.
    package static let descriptorsEach = 12
    /// The ledger's files, standard streams, and what libraries keep.
    package static let descriptorsReserved = 64

    /// - Parameters:
    ///   - wanted: what the manifest or the command line says.
    ///   - perServer: connections to one server.
    ///   - areFiles: the tenants are SQLite files: no server does their work, this process does.
    package static func of(wanted: Int, perServer: Int, areFiles: Bool, on machine: Machine) -> Int {
        var count = min(wanted, perServer)
        if areFiles { count = min(count, machine.cores * filesPerCore) }
        if let descriptors = machine.descriptors {
            count = min(count, (descriptors - descriptorsReserved) / descriptorsEach)
        }
        return max(1, count)
    }
}

extension TenantSettings {
    /// Whether the tenants are known to be SQLite files.
    package var areFiles: Bool {
        if let url = target.url { return url.revealed.hasPrefix("sqlite:") }
        return switch source {
        case .files: true
        case .list(let tenants): tenants.contains { $0.url?.revealed.hasPrefix("sqlite:") == true }
        case .query, .command: false
        }
    }
}
