private import FoundationEssentials
private import Glibc
private import Groundwork

/// The process group of a hook as an attempt has it on record, looked at from this host.
struct HookGroup: Hashable {
    let number: Int32
    /// Tells its first process from a later one with its number.
    let start: String?
    /// What its processes have in their environment, and nobody else's.
    let mark: Mark

    struct Mark: Hashable {
        var run: String
        var idempotencyKey: String

        /// Whether a process has it.
        func isOn(_ process: Int32) -> Bool {
            let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
            let variables = environment.split(separator: 0)
            return ["MUSTER_RUN_ID=\(run)", "MUSTER_IDEMPOTENCY_KEY=\(idempotencyKey)"].allSatisfy { wanted in
                variables.contains { $0.elementsEqual(wanted.utf8) }
            }
        }
    }

    /// Looks for the group of a hook whose runner died before it could keep the number. What has left the runner's
    /// session was meant to outlive the hook, and is no such group.
    static func find(_ mark: Mark) -> HookGroup? {
        for process in processes where mark.isOn(process) {
            guard let status = Status(process), status.group != status.session, status.isRunning else { continue }
            return HookGroup(number: status.group, start: nil, mark: mark)
        }
        return nil
    }

    private static var processes: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
    }

    /// A process of this host for ever: boot, process namespace and time of start (proc_pid_stat(5), field 22). nil when
    /// there is none.
    static func start(of process: Int32) -> String? {
        guard let here, let status = Status(process) else { return nil }
        return here + " " + status.start
    }

    /// Whether a recorded start belongs to processes that this one can see: same namespace, and no boot in between.
    /// nil when they are gone with the boot.
    static func isInSight(_ start: String) -> Bool? {
        guard let here, let end = start.lastIndex(of: " ") else { return false }
        let there = start[..<end].split(separator: " ")
        let mine = here.split(separator: " ")
        guard there.count == 2, mine.count == 2 else { return false }
        return there[0] == mine[0] ? there[1] == mine[1] : nil
    }

    /// Whether anything of the group lives. A zombie does nothing any more.
    var isAlive: Bool { !members.isEmpty }

    /// Ends the group: TERM, and KILL after the grace. Blocks; false when something of it is still there.
    func end(grace: Duration = .seconds(5)) -> Bool {
        for (signal, patience) in [(SIGTERM, grace), (SIGKILL, .seconds(5))] {
            let deadline = ContinuousClock.now + patience
            guard isAlive else { return true }
            kill(-number, signal)
            while ContinuousClock.now < deadline {
                if !isAlive { return true }
                blockThread(for: .milliseconds(20))
            }
        }
        return !isAlive
    }

    /// Processes of the group, if it is still that group: its first process has the recorded start, or, when that one
    /// has ended, a member has the hook's environment.
    private var members: [Int32] {
        guard number > 1 else { return [] }
        let found = Self.processes.filter { process in
            guard let status = Status(process) else { return false }
            return status.group == number && status.isRunning
        }
        let isSame = start != nil && Self.start(of: number) == start || found.contains(where: mark.isOn)
        return isSame ? found : []
    }

    /// Boot and process namespace of this process.
    private static let here: String? = {
        guard let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id"),
            let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        else { return nil }
        return String(decoding: boot, as: UTF8.self).filter { !$0.isWhitespace } + " " + space
    }()

    private struct Status {
        var state: String
        var group: Int32
        var session: Int32
        var start: String

        var isRunning: Bool { state != "Z" && state != "X" }

        init?(_ process: Int32) {
            guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return nil }
            // The name stands in parentheses and may hold anything; what follows the last one is plain.
            let text = String(decoding: data, as: UTF8.self)
            guard let end = text.lastIndex(of: ")") else { return nil }
            let fields = text[text.index(after: end)...].split(separator: " ")
            guard fields.count > 19, let group = Int32(fields[2]), let session = Int32(fields[3]) else {
                return nil
            }
            state = String(fields[0])
            self.group = group
            self.session = session
            start = String(fields[19])
        }
    }
}
