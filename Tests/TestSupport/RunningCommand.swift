package import Foundation

/// A program under way. Its output goes to files, so that it never waits for a reader.
package final class RunningCommand: Sendable {
    private let process: Process
    private let folder: URL
    private let endings: AsyncStream<(code: Int32, isKilled: Bool)>

    package init(_ process: Process, input: String) throws {
        self.process = process
        folder = FileManager.default.temporaryDirectory.appending(path: "muster-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(input.utf8).write(to: folder.appending(path: "in"))
        for name in ["out", "err"] { try Data().write(to: folder.appending(path: name)) }
        let input = try FileHandle(forReadingFrom: folder.appending(path: "in"))
        let output = try FileHandle(forWritingTo: folder.appending(path: "out"))
        let errors = try FileHandle(forWritingTo: folder.appending(path: "err"))
        // Foundation keeps a process, and with it its handles, for ever; with a thousand of them open it crashes.
        defer { for handle in [input, output, errors] { try? handle.close() } }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        let (endings, continuation) = AsyncStream.makeStream(of: (code: Int32, isKilled: Bool).self)
        self.endings = endings
        process.terminationHandler = { process in
            let status = process.terminationStatus
            let isKilled = process.terminationReason == .uncaughtSignal
            continuation.yield((isKilled ? 128 + status : status, isKilled))
            continuation.finish()
        }
        // A child inherits the signal mask of the thread that starts it (posix_spawn(2)), and this one, a worker of the
        // concurrency runtime, blocks them all.
        var none = sigset_t()
        var kept = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, &kept)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &kept, nil) }
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    package var isRunning: Bool { process.isRunning }

    package var identifier: Int { Int(process.processIdentifier) }

    /// The most memory it has had so far, in bytes (proc(5), VmHWM); nil once it has ended.
    package var peakMemory: Int? {
        let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    package func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    package func ending(within limit: Duration = .seconds(180)) async throws -> Ending {
        let end = try await withThrowingTaskGroup(of: (code: Int32, isKilled: Bool)?.self) { group in
            group.addTask { [endings] in
                for await end in endings { return end }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        let ending = Ending(
            code: end?.code ?? -1, output: try text("out"), errors: try text("err"), isKilled: end?.isKilled ?? false)
        guard end != nil else {
            send(SIGKILL)
            throw CommandFailure("\(process.arguments ?? []) did not end within \(limit)\n\(ending)")
        }
        return ending
    }

    /// What it has said on stderr so far.
    package var errors: String { get throws { try text("err") } }

    private func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appending(path: name)), as: UTF8.self)
    }
}
