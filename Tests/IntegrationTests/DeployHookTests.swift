import Foundation
import TestSupport
import Testing

/// The scripts that a pipeline calls, with a program in Muster's place that ends as it is told.
@Suite struct DeployHookTests {
    /// A folder with a `muster` that notes its arguments and ends with the next of `codes`.
    private func workplace(codes: [Int]) throws -> Workplace {
        let workplace = try Workplace()
        try workplace.writeProgram(
            "muster",
            """
            #!/bin/bash
            echo "$*" >>calls
            set -- \(codes.map(String.init).joined(separator: " "))
            number=$(wc -l <calls)
            exit "${!number}"

            """)
        return workplace
    }

    private func run(
        _ hook: String, _ arguments: String..., in workplace: Workplace, environment: [String: String] = [:]
    ) async throws -> (code: Int32, calls: [String]) {
        let ending = try await command(hook, arguments, in: workplace, environment: environment).run()
        let calls = workplace.exists("calls") ? try workplace.read("calls").split(separator: "\n").map(String.init) : []
        return (ending.code, calls)
    }

    private func command(
        _ hook: String, _ arguments: [String], in workplace: Workplace, environment: [String: String] = [:]
    ) -> Command {
        Command(
            [Checkout.root.appending(path: "hooks/\(hook)").path] + arguments, folder: workplace.folder,
            environment: ["MUSTER_BINARY": "./muster", "DEPLOY_PAUSE": "0", "DEPLOY_TRIES": "3"]
                .merging(environment) { $1 })
    }

    /// Guarantee: 75 is tried again, a bounded number of times; whatever else ends the deploy hook at once with that code.
    @Test(arguments: [
        ([0], 0, 1), ([75, 0], 0, 2), ([75, 75, 75], 75, 3), ([1], 1, 1), ([3], 3, 1), ([4], 4, 1), ([5], 5, 1),
        ([64], 64, 1), ([75, 3], 3, 2), ([130], 130, 1),
    ])
    func exitCodesAreMapped(_ codes: [Int], _ expected: Int, _ calls: Int) async throws {
        for hook in ["pre-deploy", "post-deploy"] {
            let answer = try await run(hook, "--release", "v 42", in: workplace(codes: codes))
            #expect(answer.code == Int32(expected))
            #expect(answer.calls == Array(repeating: "apply --phase \(hook) --release v 42", count: calls))
        }
    }

    /// Guarantee: a signal reaches the program, and the hook ends with the program's code, not before it.
    @Test(arguments: [SIGTERM, SIGINT])
    func signalsArePassedOn(_ signal: Int32) async throws {
        let code = 128 + signal
        let workplace = try Workplace()
        try workplace.writeProgram(
            "muster",
            """
            #!/bin/bash
            trap 'echo stopped >>calls; exit \(code)' TERM INT
            echo started >>calls
            while :; do sleep 0.02; done

            """)
        let running = try command("post-deploy", [], in: workplace).start()
        try #require(try await eventually { workplace.exists("calls") }, "the program to start")
        running.send(signal)

        let ending = try await running.ending(within: .seconds(20))

        #expect(ending.code == code, "\(ending)")
        #expect(try workplace.read("calls") == "started\nstopped\n")
    }

    /// Guarantee: a signal during the pause between two tries ends the hook without another try.
    @Test func signalEndsThePause() async throws {
        let workplace = try workplace(codes: [75, 0])
        let running = try command("pre-deploy", [], in: workplace, environment: ["DEPLOY_PAUSE": "60"]).start()
        try #require(try await eventually { workplace.exists("calls") }, "the first try")
        // Until it ends: a shell that is about to start a program can lose a signal.
        async let ended = running.ending(within: .seconds(20))
        for _ in 0..<50 where running.isRunning {
            running.send(SIGTERM)
            try await Task.sleep(for: .milliseconds(200))
        }
        let ending = try await ended

        #expect(ending.code == 143, "\(ending)")
        #expect(try workplace.read("calls").split(separator: "\n").count == 1)
    }

    /// Guarantee: the gate is open at 0 alone; it asks about all tenants unless one is named.
    @Test(arguments: [0, 1, 3, 4, 5, 75]) func gateFailsClosed(_ code: Int) async throws {
        let answer = try await run("deploy-gate", "backfill@1", in: workplace(codes: [code]))
        #expect(answer.code == Int32(code))
        #expect(answer.calls == ["check backfill@1 --all-tenants"])
    }

    @Test func gateAsksAboutOneTenant() async throws {
        let answer = try await run("deploy-gate", "backfill@1", "--tenant", "acme", in: workplace(codes: [0]))
        #expect(answer.code == 0)
        #expect(answer.calls == ["check backfill@1 --tenant acme"])
    }

    @Test func gateWaitsForWhatMayCome() async throws {
        let answer = try await run(
            "deploy-gate", "backfill@1", in: workplace(codes: [3, 0]), environment: ["GATE_WAIT": "2"])
        #expect(answer.code == 0)
        #expect(answer.calls.count == 2)
    }

    /// Guarantee: a call without arguments, or with settings that are no numbers, is wrong usage and starts nothing.
    @Test func wrongUsageStartsNothing() async throws {
        for (hook, environment) in [
            ("deploy-phase", [:]), ("deploy-gate", [:]), ("pre-deploy", ["DEPLOY_TRIES": "many"]),
            ("post-deploy", ["DEPLOY_PAUSE": "-1"]),
        ] {
            let answer = try await run(hook, in: workplace(codes: [0]), environment: environment)
            #expect(answer.code == 64)
            #expect(answer.calls.isEmpty)
        }
    }

    /// Guarantee: the sample hook says what it was told, and does not accept silence for facts.
    @Test func announceSaysOneLine() async throws {
        let hook = Checkout.root.appending(path: "hooks/announce").path
        let environment = [
            "MUSTER_RUNBOOK": "announce", "MUSTER_KEY": "1", "MUSTER_PHASE": "post-deploy", "MUSTER_RUN_ID": "r1",
            "MUSTER_ATTEMPT": "1",
        ]
        let ending = try await Command(hook, environment: environment, input: "{\"run_id\":\"r1\"}").run()
        #expect(ending.code == 0)
        #expect(ending.output == "announce: announce@1 in phase post-deploy, run r1, attempt 1\n")
        #expect(try await Command(hook, environment: environment).run().code == 65)
    }
}
