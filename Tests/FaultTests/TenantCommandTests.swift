import Foundation
import TestSupport
import Testing

/// The program that lists the tenants.
@Suite struct TenantCommandTests {
    private func workplace(_ script: String) async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.writeProgram("list", "#!/bin/sh\n\(script)\n")
        try workplace.write("one.sql", "CREATE TABLE one (x);\n")
        try workplace.write(
            "deploy.json5",
            """
            { manifest: 1, ledger: { url: "sqlite:ledger.db" },
              tenants: { command: ["./list"], target: { url: "sqlite:tenants/{id}.db" } },
              runbooks: [{ id: "one", sql: "one.sql" }] }
            """)
        try await Command(
            "sh", "-ec", "mkdir tenants; sqlite3 tenants/a.db 'CREATE TABLE old (x)'", folder: workplace.folder
        ).output()
        return workplace
    }

    /// Guarantee: it gets the three standard descriptors and none of Muster's or of whoever started it, however many there
    /// are; what it says on stderr is said there.
    @Test func getsItsOwnDescriptorsAlone() async throws {
        let workplace = try await workplace("ls /proc/self/fd >seen; echo warned >&2; echo '{\"id\":\"a\"}'")
        let many = "ulimit -n 4096; for i in $(seq 1500); do exec {fd}</dev/null; done; exec \"$@\""
        let ending = try await Command(
            "bash", "-c", many, "bash", Checkout.muster, "apply", "-f", "deploy.json5", folder: workplace.folder
        ).run()
        #expect(ending.code == 0, "\(ending)")
        #expect(ending.errors.contains("warned\n"))
        // 3 is the folder that ls reads.
        #expect(try workplace.read("seen") == "0\n1\n2\n3\n")
    }

    /// Guarantee: a long list arrives whole; one of a program that fails is not used.
    @Test func listIsTakenWholeOrNotAtAll() async throws {
        let workplace = try await workplace("seq -f '{\"id\":\"t%06g\",\"name\":\"é\u{7f}\"}' 40000; exit $(cat code)")
        for (code, expected) in [("0", Int32(0)), ("3", 4), ("75", 75)] {
            try workplace.write("code", code)
            let ending = try await workplace.muster("plan", "-f", "deploy.json5", "--format", "json").run()
            #expect(ending.code == expected, "\(ending.errors)")
            if expected == 0 { #expect(ending.output.contains("\"t040000\"")) }
            if expected == 4 { #expect((ending.output + ending.errors).contains("its list is not trusted")) }
        }
    }

    /// Guarantee: one that a signal ends is not trusted either.
    @Test func endedBySignal() async throws {
        let workplace = try await workplace("echo '{\"id\":\"a\"}'; kill -9 $$")
        let ending = try await workplace.muster("plan", "-f", "deploy.json5").run()
        #expect(ending.code == 4)
        #expect(ending.errors.contains("ended by signal 9"), "\(ending)")
    }
}
