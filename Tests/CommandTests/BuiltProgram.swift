import Foundation

/// The built `muster`, found beside the test runner.
enum BuiltProgram {
    struct Ending {
        var code: Int32
        var output: String
        var errors: String
    }

    private static let path: String = {
        if let named = ProcessInfo.processInfo.environment["MUSTER_TEST_BINARY"] { return named }
        let runner = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return runner.deletingLastPathComponent().appending(path: "muster").path
    }()

    /// Runs a line of shell in which `muster` is the built program, with next to no environment.
    static func shell(_ script: String, in folder: String = "/") async throws -> Ending {
        let scratch = FileManager.default.temporaryDirectory.appending(path: "muster-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        for name in ["out", "err"] { try Data().write(to: scratch.appending(path: name)) }
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", "muster() { \"$MUSTER_PROGRAM\" \"$@\"; }\n" + script]
        process.environment = ["MUSTER_PROGRAM": path, "PATH": "/usr/bin:/bin", "HOME": "/"]
        process.currentDirectoryURL = URL(filePath: folder, directoryHint: .isDirectory)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: scratch.appending(path: "out"))
        process.standardError = try FileHandle(forWritingTo: scratch.appending(path: "err"))
        let (ends, continuation) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = {
            continuation.yield(
                $0.terminationReason == .uncaughtSignal ? 128 + $0.terminationStatus : $0.terminationStatus)
            continuation.finish()
        }
        try process.run()
        var code: Int32 = -1
        for await end in ends { code = end }
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: scratch.appending(path: name)), as: UTF8.self)
        }
        return Ending(code: code, output: try text("out"), errors: try text("err"))
    }
}
