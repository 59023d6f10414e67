package import Foundation

/// A program to start: an argument vector, a folder, an environment that begins almost empty.
package struct Command: Sendable {
    package var arguments: [String]
    package var folder: URL?
    package var environment: [String: String] = [:]
    package var input = ""

    /// What a program needs to run at all, and libpq to find the test server. Nothing of Muster's or of a pipeline's.
    private static let inherited: Set = [
        "PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "PGHOST", "PGPORT", "PGUSER",
    ]

    package init(_ arguments: String..., folder: URL? = nil, environment: [String: String] = [:], input: String = "") {
        self.init(arguments, folder: folder, environment: environment, input: input)
    }

    package init(_ arguments: [String], folder: URL? = nil, environment: [String: String] = [:], input: String = "") {
        self.arguments = arguments
        self.folder = folder
        self.environment = environment
        self.input = input
    }

    /// Starts it; the program is looked for in PATH.
    package func start() throws -> RunningCommand {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .filter { Self.inherited.contains($0.key) }
            .merging(environment) { $1 }
        process.currentDirectoryURL = folder
        return try RunningCommand(process, input: input)
    }

    /// Runs it to its end.
    ///
    /// - Throws: `CommandFailure` when it has not ended within `limit`; it is killed then.
    @discardableResult
    package func run(limit: Duration = .seconds(180)) async throws -> Ending {
        try await start().ending(within: limit)
    }

    /// Runs it and gives what it printed; it must end with 0.
    @discardableResult
    package func output(limit: Duration = .seconds(180)) async throws -> String {
        let ending = try await run(limit: limit)
        guard ending.code == 0 else {
            throw CommandFailure("\(arguments.joined(separator: " ")) ended with \(ending.code)\n\(ending)")
        }
        return ending.output
    }
}

/// How a program ended and what it printed. A program that a signal killed has 128 + the signal as code.
package struct Ending: Sendable, CustomStringConvertible {
    package var code: Int32
    package var output: String
    package var errors: String
    /// It did not end by itself.
    package var isKilled = false

    package var description: String { "exit \(code)\n--- stdout\n\(output)--- stderr\n\(errors)" }
}

package struct CommandFailure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
