import Foundation
import RunbookModel
import TestSupport
import Testing

/// `muster completions SHELL`.
@Suite struct CompletionTests {
    /// Guarantee: each script is what it was when a person last read it.
    @Test(arguments: ["bash", "zsh", "fish"]) func scriptIsAsRecorded(_ shell: String) async throws {
        let ending = await CommandSession(folder: "/").run("completions", shell)
        #expect(ending.status == .done)
        try Snapshot(name: "completions/muster.\(shell)").expect(ending.output)
    }

    @Test func otherShellsAreRefused() async {
        let ending = await CommandSession(folder: "/").run("completions", "fissh")
        #expect(ending.status == .usage)
        #expect(ending.errors.contains("Did you mean \"fish\"?"))
    }

    /// Guarantee: bash completes commands, their second words, flags and choices.
    @Test(arguments: [
        (["muster", "ap"], "apply"), (["muster", "locks", ""], "list key"), (["muster", "plan", "--ou"], "--out"),
        (["muster", "apply", "--format", "nd"], "ndjson"), (["muster", "locks", "list", "--format", "js"], "json"),
        (["muster", "up", "--pla"], "--plan"), (["muster", "runs", "--phase", ""], ""),
    ])
    func bashCompletes(_ words: [String], _ expected: String) async throws {
        let script = await CommandSession(folder: "/").run("completions", "bash").output
        let list = words.map { "'\($0)'" }.joined(separator: " ")
        let found = try await Command(
            "bash", "-c",
            "\(script)\nCOMP_WORDS=(\(list)) COMP_CWORD=\(words.count - 1); _muster; printf '%s' \"${COMPREPLY[*]}\""
        ).output()
        #expect(found == expected)
    }
}
