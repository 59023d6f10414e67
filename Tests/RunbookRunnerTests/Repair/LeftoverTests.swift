import Foundation
import LedgerStore
import RunbookModel
import TestSupport
import Testing

@testable import RunbookRunner

/// What a dead runner's hook may have left running.
@Suite struct LeftoverTests {
    private func leftover(
        _ state: ExecutionState = .running, host: String = "here", group: Int32? = nil, start: String? = nil,
        remaining: Int? = 5_000
    ) -> Leftover {
        Leftover(
            attempt: PreviousAttempt(
                state: state, run: "R", runner: "r", host: host, processGroup: group, processStart: start,
                remaining: remaining),
            host: "here", idempotencyKey: "default/a/hook@1")
    }

    /// Guarantee: what ended, and what is no hook, is not waited for.
    @Test(arguments: [ExecutionState.succeeded, .failed, .baselined, .rolledBack])
    func endedIsClear(_ state: ExecutionState) {
        #expect(leftover(state, group: 4711).decision == .clear)
        #expect(leftover(.running, remaining: nil).decision == .clear)
    }

    /// Guarantee: out of reach its time limit counts.
    @Test func outOfReachIsWaitedFor() {
        #expect(leftover(host: "there", group: 4711).decision == .wait(milliseconds: 5_000))
        #expect(leftover(group: nil).decision == .find(milliseconds: 5_000))
        #expect(leftover(host: "there", remaining: 0).decision == .clear)
        let boot = HookGroup.start(of: ProcessInfo.processInfo.processIdentifier)?.split(separator: " ")[0] ?? ""
        #expect(leftover(group: 4711, start: "\(boot) pid:[1] 5").decision == .wait(milliseconds: 5_000))
    }

    /// Guarantee: after a boot nothing of it is left.
    @Test func bootIsTheEnd() throws {
        let mine = try #require(HookGroup.start(of: ProcessInfo.processInfo.processIdentifier))
        let words = mine.split(separator: " ")
        let space = words[1]
        #expect(HookGroup.isInSight("\(words[0]) pid:[0] 1") == false)
        #expect(HookGroup.isInSight("other \(space) 1") == nil)
        #expect(HookGroup.isInSight(mine) == true)
    }

    /// Guarantee: the group is ended with everything in it, TERM or not.
    @Test func groupIsEnded() async throws {
        try await TemporaryFolder.with { folder in
            let process = try start(
                "trap '' TERM; sh -c 'trap \"\" TERM; sleep 300' & echo ready > \(folder.path("ready")); wait; sleep 300"
            )
            #expect(try await eventually { FileManager.default.fileExists(atPath: folder.path("ready")) })
            let group = HookGroup(
                number: process, start: HookGroup.start(of: process), mark: mark)
            #expect(group.isAlive)
            #expect(group.end(grace: .milliseconds(200)))
            #expect(!group.isAlive)
        }
    }

    /// Guarantee: a group whose number another process has by now is left alone.
    @Test func anotherProcessIsLeftAlone() async throws {
        let process = try start("sleep 300", run: "another")
        defer { kill(-process, SIGKILL) }
        let start = try #require(HookGroup.start(of: process))
        let group = HookGroup(number: process, start: start + "0", mark: mark)
        #expect(!group.isAlive)
        #expect(group.end())
        #expect(kill(process, 0) == 0)
        let own = HookGroup(number: process, start: start, mark: mark)
        #expect(own.isAlive)
    }

    /// Guarantee: a group whose number was never kept is found by its environment, and by nothing less than all of it.
    @Test func groupIsFoundByItsMark() async throws {
        let run = UUID().uuidString
        let process = try start("sleep 300 & wait", run: run)
        defer { kill(-process, SIGKILL) }
        let own = HookGroup.Mark(run: run, idempotencyKey: mark.idempotencyKey)
        #expect(HookGroup.find(HookGroup.Mark(run: run + "0", idempotencyKey: mark.idempotencyKey)) == nil)
        #expect(HookGroup.find(HookGroup.Mark(run: run, idempotencyKey: "default/b/hook@1")) == nil)
        let found = try #require(HookGroup.find(own))
        #expect(found.number == process)
        #expect(found.end(grace: .milliseconds(200)))
        #expect(HookGroup.find(own) == nil)
    }

    private let mark = HookGroup.Mark(run: "R", idempotencyKey: "default/a/hook@1")

    /// Starts a shell as leader of a group of its own.
    private func start(_ script: String, run: String = "R") throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script]
        process.environment = [
            "MUSTER_RUN_ID": run, "MUSTER_IDEMPOTENCY_KEY": mark.idempotencyKey, "PATH": "/usr/bin:/bin",
        ]
        try process.run()
        let number = process.processIdentifier
        try #require(getpgid(number) == number)
        // Whoever starts a process goes on while execve(2) still lays out its environment.
        let deadline = ContinuousClock.now + .seconds(30)
        while FileManager.default.contents(atPath: "/proc/\(number)/environ")?.isEmpty != false {
            try #require(ContinuousClock.now < deadline)
            usleep(1000)
        }
        return number
    }
}
