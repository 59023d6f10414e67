import Foundation
import TestSupport
import Testing

@Suite struct BuiltProgramTests {
    /// Guarantee: the version is one word and a number, on stdout.
    @Test func versionIsPrinted() async throws {
        for script in ["muster version", "muster --version"] {
            let ending = try await BuiltProgram.shell(script)
            #expect(ending.code == 0)
            #expect(ending.output == "muster 0.1.0\n")
            #expect(ending.errors.isEmpty)
        }
    }

    /// Guarantee: help is data on stdout with exit 0; wrong usage is a message on stderr with exit 64.
    @Test(arguments: [
        ("muster --help", 0), ("muster help apply", 0), ("muster apply -h", 0), ("muster locks --help", 0),
        ("muster", 64), ("muster aply", 64), ("muster apply --concurency 3", 64), ("muster apply --concurrency x", 64),
        ("muster show", 64), ("muster rehearse --sample 0", 64), ("muster locks", 64), ("muster help nonsense", 64),
        ("muster apply --max-failures many", 64), ("muster check x --tenant a --all-tenants", 64),
        ("MUSTER_FORMAT=xml muster version", 64),
    ])
    func usageIsAnswered(_ script: String, _ code: Int32) async throws {
        let ending = try await BuiltProgram.shell(script)
        #expect(ending.code == code)
        #expect(ending.output.isEmpty == (code != 0))
        #expect(ending.errors.isEmpty == (code == 0))
        #expect(!(ending.output + ending.errors).contains("\u{1B}"))
    }

    /// Guarantee: a reader that has seen enough ends neither the command nor the pipeline with an error.
    @Test func closedOutputIsNoError() async throws {
        let ending = try await BuiltProgram.shell(
            "set -o pipefail; (sleep 0.1; muster schema; echo $? >&2) | true; muster schema | head -1")
        #expect(ending.code == 0)
        #expect(ending.output == "{\n")
        #expect(ending.errors == "0\n")
    }

    /// Guarantee: the starter project goes from init to a second apply with nothing to do.
    @Test func starterRuns() async throws {
        try await TemporaryFolder.with { folder in
            let ending = try await BuiltProgram.shell(
                "muster init && muster validate && muster plan && muster apply && muster apply && muster status",
                in: folder.path)
            #expect(ending.code == 0)
            #expect(ending.output.contains("muster.json5: valid. 1 runbook, 1 phase.\n"))
        }
    }

    /// Guarantee: a manifest that is wrong is 4 for every verb, and each mistake is told with its line.
    @Test func brokenManifestIsFour() async throws {
        try await TemporaryFolder.with { folder in
            try Data("{ manifest: 1,\n  runbooks: [ { id: \"one\", sqll: \"x.sql\" } ] }\n".utf8)
                .write(to: folder.url.appending(path: "muster.json5"))
            for verb in ["validate", "plan", "apply", "status", "tenants"] {
                let ending = try await BuiltProgram.shell("muster \(verb)", in: folder.path)
                #expect(ending.code == 4, "\(verb)")
                #expect((ending.output + ending.errors).contains("muster.json5:2"), "\(verb)")
            }
        }
    }

    /// Guarantee: INT during an apply ends it with 130 and leaves a run that the next apply completes.
    @Test func interruptedIsOneHundredThirty() async throws {
        try await TemporaryFolder.with { folder in
            let ending = try await BuiltProgram.shell(
                """
                mkdir tenants
                for i in 1 2 3; do sqlite3 tenants/t$i.db vacuum || exit 99; done
                cat >hook <<'HOOK'
                #!/bin/sh
                echo >>started
                while [ ! -e go ]; do sleep 0.05; done
                HOOK
                chmod +x hook
                cat >muster.json5 <<'JSON'
                { manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/*.db" },
                  concurrency: { tenants: 1 }, runbooks: [ { id: "wait", exec: ["./hook"] } ] }
                JSON
                "$MUSTER_PROGRAM" apply --format ndjson >events 2>log &
                for i in $(seq 400); do [ -e started ] && break; sleep 0.05; done
                kill -INT $!
                for i in $(seq 400); do grep -q Stopping log && break; sleep 0.05; done
                touch go
                wait $!
                echo "first $?"
                tail -1 events | cut -c1-18
                muster apply --quiet
                echo "second $?"
                wc -l <started
                """, in: folder.path)
            #expect(ending.output == "first 130\n{\"event\":\"summary\"\nsecond 0\n3\n")
            #expect(ending.errors.isEmpty)
        }
    }
}
