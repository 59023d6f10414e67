private import CSystem
private import Glibc
private import Groundwork

/// One run of a hook executable, from its start to the end of its process group.
package struct HookProcess: Sendable {
    /// The program (absolute, relative to `folder`, or a bare name for PATH), then its arguments.
    package var arguments: [String]
    /// The whole environment; nothing is inherited.
    package var environment: [String: String]
    /// The working directory, absolute: the manifest's folder.
    package var folder: String
    /// What the hook finds on its stdin.
    package var input: [UInt8]
    /// The descriptor that gets its stderr; nil: its output does.
    package var errors: Int32?
    package var timeout: Duration
    package var teardown: HookTeardown
    /// Bytes of output that are kept.
    package var outputLimit: Int
    package let interrupter: HookInterrupter

    package init(
        arguments: [String], environment: [String: String], folder: String, input: [UInt8] = [], errors: Int32? = nil,
        timeout: Duration, teardown: HookTeardown = HookTeardown(), outputLimit: Int = 64 << 10,
        interrupter: HookInterrupter = HookInterrupter()
    ) {
        self.arguments = arguments
        self.environment = environment
        self.folder = folder
        self.input = input
        self.errors = errors
        self.timeout = timeout
        self.teardown = teardown
        self.outputLimit = outputLimit
        self.interrupter = interrupter
    }

    /// What the caller does while the hook runs, on the calling thread.
    package struct Heartbeat {
        package var interval: Duration
        /// False ends the hook: the caller has lost what allowed it to run.
        package var beat: () -> Bool

        package init(every interval: Duration, _ beat: @escaping () -> Bool) {
            self.interval = interval
            self.beat = beat
        }
    }

    /// Runs the hook and blocks the calling thread until it has ended.
    ///
    /// When it returns, the hook's process group is gone: what should outlive a hook must leave it (`setsid`). Such a
    /// process is neither ended nor waited for.
    ///
    /// - Parameters:
    ///   - onStart: gets the process group as soon as there is one.
    ///   - heartbeat: called at its interval.
    ///   - onOutput: gets what it prints, byte for byte, in place of the end's text.
    package func run(
        onStart: (_ processGroup: Int32) -> Void = { _ in }, heartbeat: Heartbeat? = nil,
        onOutput: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(HookError) -> HookEnd {
        guard !interrupter.isRequested else {
            throw HookError(.interrupted, "the hook \(arguments.first ?? "") was not started: interrupted before")
        }
        let start = ContinuousClock.now
        var output = try HookOutput(limit: outputLimit)
        let process = try spawn(printingTo: output)
        output.closeWriter()
        onStart(process)

        var course = HookCourse(start: start, timeout: timeout, teardown: teardown)
        let watch = HookWatch(process: process, interrupter: interrupter)
        var nextBeat = heartbeat.map { start.advanced(by: $0.interval) }
        var isLost = false
        var seen: HookCourse.Sight?
        while true {
            watch.wait(for: output, until: min(course.wake, nextBeat ?? course.wake), seen: seen)
            output.read(onOutput)
            if let heartbeat, let due = nextBeat, ContinuousClock.now >= due {
                if !heartbeat.beat() { isLost = true }
                nextBeat = ContinuousClock.now.advanced(by: heartbeat.interval)
            }
            let sight = HookCourse.Sight(
                now: .now, hasEnded: muster_has_ended(process) != 0, isOutputClosed: output.isClosed,
                isInterrupted: interrupter.isRequested || isLost)
            seen = sight
            switch course.advance(sight) {
            case nil: continue
            case .signal(let signal): kill(-process, signal)
            case .finish:
                // Before the hook is reaped: until then its group's number belongs to nobody else.
                kill(-process, SIGKILL)
                let status = muster_reap(process)
                return HookEnd(
                    cause: cause(status, course.reason), output: output.text, duration: start.duration(to: .now),
                    processGroup: process)
            }
        }
    }

    private func cause(_ status: Int32, _ reason: HookCourse.Reason?) -> HookEnd.Cause {
        switch reason {
        case .timedOut: .timedOut
        case .interrupted: .interrupted
        // Somebody else took the status: what the hook said is not known.
        case nil where status == -1: .interrupted
        case nil: muster_exited(status) != 0 ? .exited(muster_exit_code(status)) : .signaled(muster_signal(status))
        }
    }

    private func spawn(printingTo output: borrowing HookOutput) throws(HookError) -> Int32 {
        guard let name = arguments.first, !name.isEmpty else {
            throw HookError(.refused, "the hook has no program: its argument vector is empty")
        }
        let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        guard !(arguments + variables + [folder]).contains(where: { $0.utf8.contains(0) }) else {
            throw HookError(.refused, "an argument or a variable of the hook \(name) holds a zero byte")
        }
        guard !environment.keys.contains(where: { $0.isEmpty || $0.contains("=") }) else {
            throw HookError(.refused, "a variable of the hook \(name) has a name that is empty or holds =")
        }
        let program = try HookProgram.locate(name, path: environment["PATH"], folder: folder)
        let stdin = try HookInput(input)
        var process: pid_t = 0
        let code = unsafe withCStrings(arguments) { argv in
            unsafe withCStrings(variables) { envp in
                unsafe muster_spawn(
                    &process, program, argv, envp, folder, stdin.descriptor, output.writer, errors ?? output.writer)
            }
        }
        guard code == 0 else { throw failure(code, name) }
        return process
    }

    private func failure(_ code: Int32, _ name: String) -> HookError {
        switch code {
        case ENOENT where unsafe access(folder, F_OK) != 0:
            HookError(.notFound, "the folder \(folder) does not exist")
        case ENOENT:
            HookError(.notFound, "the interpreter in the first line of the hook \(name) does not exist")
        case ENOEXEC:
            HookError(.notExecutable, "the hook \(name) is no program: its first line must be #! and an interpreter")
        case EACCES:
            HookError(.notExecutable, "no permission to run the hook \(name), its interpreter, or in \(folder)")
        default:
            HookError(.system, "the hook \(name) cannot be started: \(String(systemError: code))")
        }
    }
}

/// Lends strings as a NULL-terminated vector of C strings.
private func withCStrings(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32) -> Int32 {
    let copies = unsafe strings.map { unsafe strdup($0) }
    defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
    return unsafe body(copies + [nil])
}
