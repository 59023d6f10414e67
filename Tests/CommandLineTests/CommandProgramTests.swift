import Foundation
import Reporting
import RunbookModel
import TestSupport
import Testing

@testable import CommandLine

@Suite struct CommandProgramTests {
    /// Guarantee: what `init` writes is valid and applies as it is, twice, with nothing to do the second time.
    @Test func starterRuns() async throws {
        try await TemporaryFolder.with { folder in
            let session = CommandSession(folder: folder.path)
            let written = await session.run("init")
            #expect(written.status == .done)
            #expect(written.output.contains("muster plan && muster apply"))
            #expect(await session.run("validate").output.hasSuffix("muster.json5: valid. 1 runbook, 1 phase.\n"))
            #expect(await session.run("apply").status == .done)
            #expect(await session.run("apply").output.hasPrefix("Nothing to do"))
        }
    }

    /// Guarantee: `init` overwrites nothing, and writes nothing when it would.
    @Test func initRefusesToOverwrite() async throws {
        try await TemporaryFolder.with { folder in
            try Data("mine".utf8).write(to: folder.url.appending(path: "muster.json5"))
            let ending = await CommandSession(folder: folder.path).run("init")
            #expect(ending.status == .refused)
            #expect(ending.output.isEmpty)
            #expect(ending.errors.contains("muster.json5"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["muster.json5"])
        }
    }

    /// Guarantee: every command that reads a manifest refuses when there is none, in text on stderr alone, and in JSON
    /// with its own document, `ok: false`, the exit code and the error.
    @Test(arguments: [
        ["validate"], ["plan"], ["apply"], ["status"], ["check", "x"], ["runs"], ["show", "x"], ["tenants"],
        ["locks", "list"], ["locks", "key", "x"],
    ])
    func missingManifestIsRefused(_ command: [String]) async throws {
        try await TemporaryFolder.with { folder in
            let ending = await run(command, folder)
            #expect(ending.status == .refused)
            #expect((ending.output + ending.errors).contains("muster init"))
            let json = await run(command + ["--format", "json"], folder)
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(document["ok"] as? Bool == false)
            #expect(document["exit_code"] as? Int == 4)
            let error = try #require(document["error"] as? [String: Any])
            #expect(error["code"] as? String == "manifest")
            #expect((document["schema"] as? String)?.hasPrefix("muster.") == true)
        }
    }

    private func run(_ arguments: [String], _ folder: TemporaryFolder) async -> CommandSession.Ending {
        await CommandSession(folder: folder.path).run(arguments)
    }

    /// Guarantee: a failed answer has the members of a good one.
    @Test(arguments: [["runs"], ["tenants"], ["locks", "list"]])
    func shapesAgree(_ command: [String]) async throws {
        try await TemporaryFolder.with { folder in
            let session = CommandSession(folder: folder.path)
            let (_, bad) = try await session.document(command)
            _ = await session.run("init")
            let (status, good) = try await session.document(command)
            #expect(status == .done)
            #expect(Set(bad.keys) == Set(good.keys))
        }
    }

    /// Guarantee: wrong usage is 64, on stderr alone; who asked for JSON gets a document too.
    @Test func wrongUsageIsSaid() async {
        let session = CommandSession(folder: "/")
        let ending = await session.run("aply")
        #expect(ending.status == .usage)
        #expect(ending.output.isEmpty)
        #expect(
            ending.errors == "muster: There is no command \"aply\". Did you mean \"apply\"?\nSee `muster --help`.\n")
        let json = await session.run("apply", "--format=json", "--bogus")
        #expect(json.status == .usage)
        #expect(json.output.contains("\"code\": \"usage\""))
    }

    /// Guarantee: passwords of URLs on the command line do not come back.
    @Test func passwordsAreNotRepeated() async throws {
        let session = CommandSession(folder: "/")
        let ending = await session.run("status", "--ledger", "postgres://u:hunter2@127.0.0.1:1/x")
        #expect(ending.status == .tryAgain)
        let wrong = await session.run("status", "--ledger", "mysql://u:hunter2@127.0.0.1:1/x")
        #expect(wrong.status == .usage)
        #expect(![ending, wrong].contains { ($0.output + $0.errors).contains("hunter2") })
    }

    /// Guarantee: the command that continues names the ledger without its password.
    @Test func nextCommandHidesThePassword() throws {
        let parser = ArgumentParser(CommandCatalogue.definitions)
        let line = ["apply", "--ledger", "postgres://u:hunter2@db/x"]
        guard case .run(let parsed) = try parser.parse(line, environment: [:]) else {
            Issue.record("no command")
            return
        }
        let next = parsed.commandLine("apply", flags: ApplyCommand.definition.flags)
        #expect(!next.contains("hunter2"))
        #expect(next.contains("db/x"))
    }

    /// Guarantee: NDJSON ends with the summary, also when nothing could be started.
    @Test func summaryComesLast() async throws {
        let ending = await CommandSession(folder: "/").run("apply", "--format", "ndjson", "-f", "/nonexistent.json5")
        let lines = ending.output.split(separator: "\n")
        #expect(lines.count == 1)
        #expect(lines.last?.hasPrefix("{\"event\":\"summary\"") == true)
        #expect(ending.status == .refused)
    }

    /// Guarantee: the report file gets the same document, on failure too; an impossible file is refused beforehand.
    @Test func reportFileIsWritten() async throws {
        try await TemporaryFolder.with { folder in
            let session = CommandSession(folder: folder.path)
            let refused = await session.run("apply", "--report", "json=report.json")
            #expect(refused.status == .refused)
            let failed = try Data(contentsOf: folder.url.appending(path: "report.json"))
            #expect((try JSONSerialization.jsonObject(with: failed) as? [String: Any])?["exit_code"] as? Int == 4)
            #expect(await session.run("apply", "--report", "json=no/such/report.json").status == .usage)
            #expect(await session.run("apply", "--report", "junit").errors.contains("takes KIND=FILE"))
            #expect(await session.run("apply", "--report", "jsn=x").errors.contains("Did you mean \"json\"?"))
        }
    }

    /// Guarantee: quiet says nothing when all is well and the verdict when it is not.
    @Test func quietIsQuiet() async throws {
        try await TemporaryFolder.with { folder in
            let session = CommandSession(folder: folder.path)
            _ = await session.run("init")
            let good = await session.run("apply", "--quiet")
            #expect(good.output + good.errors == "")
            try Data("not a database, and long enough to be sure".utf8).write(
                to: folder.url.appending(path: "tenants/bad.db"))
            let bad = await session.run("apply", "--quiet")
            #expect(bad.status != .done)
            #expect(bad.output.contains("bad"))
        }
    }

    /// Guarantee: colour is for terminals without NO_COLOR and --no-color only.
    @Test func colourIsForTerminals() async {
        var session = CommandSession(folder: "/")
        #expect(await !session.run("status").errors.contains("\u{1B}"))
        session.terminal = .init(columns: 80, rows: 24)
        #expect(await session.run("status").errors.contains("\u{1B}"))
        #expect(await !session.run("status", "--no-color").errors.contains("\u{1B}"))
        session.environment = ["NO_COLOR": "1"]
        #expect(await !session.run("status").errors.contains("\u{1B}"))
    }

    /// Guarantee: the command that continues has what was asked for, quoted, and nothing about output.
    @Test func nextCommandContinues() throws {
        let parser = ArgumentParser(CommandCatalogue.definitions)
        let line = ["plan", "-f", "my deploy.json5", "--tenant", "a'b", "--exit-code", "--format", "json"]
        guard case .run(let parsed) = try parser.parse(line, environment: ["MUSTER_PHASE": "x"]) else {
            Issue.record("no command")
            return
        }
        #expect(
            parsed.commandLine("apply", flags: ApplyCommand.definition.flags)
                == #"muster apply -f 'my deploy.json5' --tenant 'a'\''b'"#)
    }
}
