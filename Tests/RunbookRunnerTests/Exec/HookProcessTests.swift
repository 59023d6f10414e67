import Foundation
import Synchronization
import TestSupport
import Testing

@testable import RunbookRunner

/// What a hook gets, how it is ended, and that nothing it does can harm the one who runs it.
@Suite(.timeLimit(.minutes(2)))
struct HookProcessTests {
    private static let path = "/usr/local/bin:/usr/bin:/bin"

    private func shell(
        _ script: String, environment: [String: String] = [:], input: String = "", timeout: Duration = .seconds(60),
        grace: Duration = .milliseconds(300), folder: String = "/", limit: Int = 64 << 10
    ) -> HookProcess {
        HookProcess(
            arguments: ["/bin/sh", "-c", script],
            environment: environment.merging(["PATH": Self.path]) { own, _ in own }, folder: folder,
            input: Array(input.utf8), timeout: timeout,
            teardown: HookTeardown([.init(signal: SIGTERM, grace: grace)]), outputLimit: limit)
    }

    private func error(_ hook: HookProcess) -> HookError? {
        do throws(HookError) {
            _ = try hook.run()
            return nil
        } catch {
            return error
        }
    }

    private func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 }

    // MARK: How it ends

    @Test(arguments: [0, 1, 2, 75, 127, 255]) func theExitCodeIsReported(code: Int32) throws {
        #expect(try shell("exit \(code)").run().cause == .exited(code))
    }

    @Test(arguments: [SIGKILL, SIGSEGV, SIGTERM]) func aSignalOfItsOwnIsReported(signal: Int32) throws {
        #expect(try shell("kill -\(signal) $$").run().cause == .signaled(signal))
    }

    @Test func durationAndGroupAreReported() throws {
        var started: Int32 = 0
        let end = try shell("ps -o pgid= -p $$ | tr -d ' \n'; sleep 0.2").run(onStart: { started = $0 })
        #expect(end.processGroup == started)
        #expect(end.output == String(started))
        #expect(started != getpgrp())
        #expect(end.duration >= .milliseconds(200))
        #expect(!isAlive(started))
    }

    // MARK: What it gets

    @Test func argumentsArriveAsTheyAre() throws {
        let arguments = ["a b", "", "'\"$HOME`id`\\", "*", "-n", "ü\n日"]
        let hook = HookProcess(
            arguments: ["python3", "-c", "import sys, json; print(json.dumps(sys.argv[1:]))"] + arguments,
            environment: ["PATH": Self.path], folder: "/", timeout: .seconds(60))
        let output = try hook.run().output
        #expect(try JSONDecoder().decode([String].self, from: Data(output.utf8)) == arguments)
    }

    @Test func theEnvironmentIsTheGivenOneAlone() throws {
        let hook = HookProcess(
            arguments: ["env"], environment: ["PATH": Self.path, "A": "x=y", "B": "", "C": "line\nbreak"], folder: "/",
            timeout: .seconds(60))
        let output = try hook.run().output
        #expect(output.split(separator: "\n").sorted() == ["A=x=y", "B=", "C=line", "PATH=\(Self.path)", "break"])
    }

    @Test func theWorkingDirectoryIsTheGivenOne() async throws {
        try await TemporaryFolder.with { folder in
            let end = try shell("pwd -P", folder: folder.path).run()
            #expect(end.output.hasSuffix("/\(folder.url.lastPathComponent)\n"))
        }
    }

    @Test func stdinIsReadToItsEnd() throws {
        let input = String(repeating: "0123456789", count: 500_000)
        #expect(try shell("wc -c", input: input).run().output.contains("5000000"))
        #expect(try shell("cat", input: "{\"tenant\": \"acme\"}\n").run().output == "{\"tenant\": \"acme\"}\n")
        #expect(try shell("cat /dev/stdin", input: "again").run().output == "again")
        #expect(try shell("cat").run().output == "")
    }

    @Test func aHookThatIgnoresItsStdinBlocksNobody() throws {
        let input = String(repeating: "x", count: 5_000_000)
        #expect(try shell("exit 0", input: input).run().cause == .exited(0))
        #expect(try shell("exec 0<&-; sleep 0.1; exit 3", input: input).run().cause == .exited(3))
        #expect(try shell("head -c 3", input: input).run().output == "xxx")
    }

    @Test func itHasTheThreeStandardDescriptorsAndNoOther() throws {
        // One that is not close-on-exec, as a library may leave it.
        let leak = unsafe open("/dev/null", O_RDONLY)
        defer { close(leak) }
        #expect(fcntl(leak, F_GETFD) == 0)
        let end = try shell("ls /proc/$$/fd; true").run()
        #expect(end.output == "0\n1\n2\n")
    }

    @Test func signalsStandAtTheirDefaults() throws {
        let hook = HookProcess(
            arguments: ["grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status"], environment: ["PATH": Self.path],
            folder: "/", timeout: .seconds(60))
        let masks = try hook.run().output.split(separator: "\n").map { $0.split(separator: "\t").last ?? "" }
        #expect(masks.count == 2)
        for mask in masks {
            // The C library keeps signals 32 and 33 to itself.
            #expect(try #require(UInt64(mask, radix: 16)) & ~(3 << 31) == 0)
        }
    }

    @Test func bothStreamsAreCapturedInOrder() throws {
        let end = try shell("echo one; echo two >&2; echo three").run()
        #expect(end.output == "one\ntwo\nthree\n")
    }

    // MARK: Floods

    @Test func aFloodIsCutAndMemoryStaysFlat() throws {
        let before = try residentMemory()
        let end = try shell("echo begin; head -c 100000000 /dev/zero | tr '\\0' 'x'; echo; echo end").run()
        #expect(end.cause == .exited(0))
        #expect(end.output.hasPrefix("begin\nxxx"))
        #expect(end.output.hasSuffix("xxx\nend\n"))
        #expect(end.output.contains("\n… 99934475 bytes left out …\n"))
        #expect(end.output.utf8.count < 66_000)
        // Tests run beside this one; the flood itself would be a hundred.
        #expect(try residentMemory() - before < 60 << 20)
    }

    @Test func binaryIsMadePrintable() throws {
        let end = try shell("head -c 2000 /dev/urandom; printf '\\033[31m\\000'").run()
        #expect(end.output.hasSuffix("\\x1B[31m\\x00"))
        #expect(end.output.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || $0.value >= 0x20 })
    }

    @Test func aFloodDoesNotHoldUpTheLimit() throws {
        let end = try shell("yes", timeout: .milliseconds(300)).run()
        #expect(end.cause == .timedOut)
        #expect(end.duration < .seconds(20))
    }

    private func residentMemory() throws -> Int {
        let statm = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return Int(statm[1]).map { $0 * 4096 } ?? 0
    }

    // MARK: Ending it

    @Test func theLimitEndsAHookThatObeys() throws {
        let end = try shell(
            "trap 'echo bye; exit 0' TERM; echo hi; while :; do sleep 0.05; done", timeout: .milliseconds(300),
            grace: .seconds(20)
        ).run()
        // Whatever it says then: its time was over.
        #expect(end.cause == .timedOut)
        #expect(end.output.hasPrefix("hi\n"))
        #expect(end.output.hasSuffix("bye\n"))
        #expect(end.duration < .seconds(15))
    }

    @Test func theLimitEndsAHookThatDoesNot() throws {
        let end = try shell("trap '' TERM; echo hi; while :; do sleep 0.05; done", timeout: .milliseconds(300)).run()
        #expect(end.cause == .timedOut)
        #expect(end.output == "hi\n")
        #expect(end.duration >= .milliseconds(600))
        #expect(!isAlive(end.processGroup))
    }

    @Test func theWholeGroupIsEnded() async throws {
        try await TemporaryFolder.with { folder in
            let end = try shell(
                "sh -c 'trap \"\" TERM; echo $$ > child; sleep 600' & sh -c 'sleep 600' & wait",
                timeout: .milliseconds(500), folder: folder.path
            ).run()
            #expect(end.cause == .timedOut)
            let child = try #require(
                Int32(String(contentsOfFile: folder.path("child"), encoding: .utf8).dropLast()))
            #expect(try await eventually { !isAlive(child) })
            #expect(try await eventually { kill(-end.processGroup, 0) != 0 })
        }
    }

    @Test func anotherThreadEndsIt() throws {
        let hook = shell("echo hi; sleep 600")
        let interrupter = hook.interrupter
        let end = try hook.run(onStart: { _ in
            Thread.detachNewThread {
                usleep(200_000)
                interrupter.interrupt()
            }
        })
        #expect(end.cause == .interrupted)
        #expect(end.duration < .seconds(20))
        // It stays interrupted: another one with it does not start.
        #expect(error(hook)?.code == .interrupted)
    }

    @Test func aFailedHeartbeatEndsIt() throws {
        var beats = 0
        let end = try shell("sleep 600").run(
            heartbeat: .init(every: .milliseconds(50)) {
                beats += 1
                return beats < 4
            })
        #expect(end.cause == .interrupted)
        #expect(beats == 4)
        #expect(end.duration >= .milliseconds(200))
    }

    @Test func heartbeatsGoOnDuringAFlood() throws {
        var beats = 0
        let end = try shell("yes", timeout: .milliseconds(500)).run(
            heartbeat: .init(every: .milliseconds(20)) {
                beats += 1
                return true
            })
        #expect(end.cause == .timedOut)
        #expect(beats > 3)
    }

    // MARK: Children left behind

    @Test func aChildThatKeepsTheOutputIsNotWaitedForAndIsEnded() async throws {
        try await TemporaryFolder.with { folder in
            let end = try shell("sleep 600 & echo $! > child; echo done", folder: folder.path).run()
            #expect(end.cause == .exited(0))
            #expect(end.output == "done\n")
            #expect(end.duration < .seconds(30))
            let child = try #require(
                Int32(String(contentsOfFile: folder.path("child"), encoding: .utf8).dropLast()))
            #expect(try await eventually { !isAlive(child) })
        }
    }

    @Test func lateOutputOfAChildIsStillRead() throws {
        #expect(try shell("(sleep 0.1; echo late) & echo early").run().output == "early\nlate\n")
    }

    @Test func aProcessThatLeavesTheGroupIsNeitherEndedNorWaitedFor() async throws {
        try await TemporaryFolder.with { folder in
            let end = try shell(
                "setsid sh -c 'echo $$ > child; exec sleep 600' & while ! [ -s child ]; do sleep 0.02; done",
                folder: folder.path
            ).run()
            #expect(end.cause == .exited(0))
            #expect(end.duration < .seconds(30))
            let child = try #require(
                Int32(String(contentsOfFile: folder.path("child"), encoding: .utf8).dropLast()))
            #expect(isAlive(child))
            kill(child, SIGKILL)
        }
    }

    // MARK: What cannot be started

    @Test func whatCannotBeStartedIsExplained() async throws {
        try await TemporaryFolder.with { folder in
            func write(_ name: String, _ text: String, mode: Int) throws {
                try text.write(toFile: folder.path(name), atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder.path(name))
            }
            try write("plain", "#!/bin/sh\n", mode: 0o644)
            try write("bare", "echo hi\n", mode: 0o755)
            try write("orphan", "#!/no/such/interpreter\n", mode: 0o755)
            try write("good", "#!/bin/sh\necho good $1\n", mode: 0o755)
            try FileManager.default.createDirectory(
                atPath: folder.path("folder"), withIntermediateDirectories: true)
            func hook(_ arguments: String..., environment: [String: String] = ["PATH": Self.path]) -> HookProcess {
                HookProcess(
                    arguments: arguments, environment: environment, folder: folder.path, timeout: .seconds(60))
            }
            #expect(error(hook("./missing"))?.code == .notFound)
            #expect(error(hook("./missing"))?.message.contains("does not exist") == true)
            #expect(error(hook("missing-command"))?.message.contains("in no folder of PATH") == true)
            #expect(error(hook("./plain"))?.message.contains("chmod +x") == true)
            #expect(error(hook("./folder"))?.code == .notExecutable)
            #expect(error(hook("./bare"))?.message.contains("#!") == true)
            #expect(error(hook("./orphan"))?.message.contains("interpreter") == true)
            #expect(error(hook())?.code == .refused)
            #expect(error(hook("./good", "a\0b"))?.code == .refused)
            #expect(error(hook("./good", environment: ["A=B": "c"]))?.code == .refused)
            #expect(error(hook("./good", environment: ["A": "c\0d"]))?.code == .refused)
            #expect(error(shell("true", folder: "/no/such/folder"))?.message.contains("/no/such/folder") == true)
            // The same folder's good one starts, by its path and by the PATH it is given.
            #expect(try hook("./good", "x").run().output == "good x\n")
            #expect(try hook("good", "y", environment: ["PATH": ".:/bin:/usr/bin"]).run().output == "good y\n")
        }
    }

    @Test func nothingLeaks() throws {
        func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        let before = try descriptors()
        for _ in 0..<300 { _ = try shell("exit 0").run() }
        for _ in 0..<300 {
            _ = error(HookProcess(arguments: ["/no"], environment: [:], folder: "/", timeout: .seconds(1)))
        }
        // Tests that run beside this one have descriptors of their own.
        #expect(try descriptors() < before + 200)
    }

    @Test func manyAtOnceEachGetTheirOwn() async throws {
        await withTaskGroup { group in
            for index in 0..<40 {
                group.addTask {
                    let end = try? shell("cat; echo out-\(index); exit \(index)", input: "in-\(index) ").run()
                    #expect(end?.output == "in-\(index) out-\(index)\n")
                    #expect(end?.cause == .exited(Int32(index)))
                }
            }
        }
    }
}
