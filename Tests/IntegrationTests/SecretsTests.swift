import Foundation
import TestSupport
import Testing

/// Passwords and other values from the environment stay where they are needed.
@Suite struct SecretsTests {
    private static let password = "correct-horse-battery"
    private static let token = "tok_9f8e7d6c5b4a"

    /// Guarantee: the password of the database is in nothing that is printed, recorded or stored, when work succeeds,
    /// when a script fails, and when the server is not there.
    @Test(.needsPostgres) func passwordIsNowhere() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(
                sample: "findings-lifecycle/postgres",
                environment: ["DATABASE_URL": database.url + "&password=\(Self.password)"])
            try await database.psql("\\i setup.sql\nCALL public.create_tenants(3);", folder: workplace.folder)
            try await database.psql("ALTER TABLE tenant_0002.findings ADD COLUMN first_seen_at date")

            var said = ""
            for arguments in [
                ["validate"], ["plan"], ["plan", "--format", "json"], ["apply", "--verbose"],
                ["apply", "--format", "ndjson"], ["apply", "--format", "json"], ["status", "--format", "json"],
                ["tenants"], ["locks", "key", "tenant-0001"], ["runs", "--format", "json"],
            ] {
                let ending = try await workplace.muster(arguments, "-f", "deploy.json5").run()
                said += ending.output + ending.errors
            }
            let gone = try await Command(
                Checkout.muster, "apply", "-f", "deploy.json5", "--lock-wait", "1s", folder: workplace.folder,
                environment: ["DATABASE_URL": "postgres://someone:\(Self.password)@127.0.0.1:1/none"]
            ).run()

            #expect(gone.code == 75, "\(gone)")
            said += gone.output + gone.errors
            #expect(said.contains("42701"), "the broken tenant was met")
            #expect(!said.contains(Self.password))
            #expect(try await !database.dump(ledger: true).contains(Self.password))
        }
    }

    /// Guarantee: what a hook prints is recorded without the secrets in it, in the report and in the ledger.
    @Test func hookOutputIsMasked() async throws {
        let workplace = try Workplace(environment: ["TOKEN": Self.token])
        try await Command(
            "sh", "-c", "mkdir tenants && sqlite3 tenants/a.db 'CREATE TABLE t (x)'", folder: workplace.folder
        ).output()
        try workplace.writeProgram(
            "tell", "#!/bin/sh\ncat >/dev/null\necho \"told $1\"\necho \"warned $1\" >&2\ntest -e fine\n")
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1,
              ledger: { url: "sqlite:.muster/ledger.db" },
              tenants: { files: "tenants/*.db" },
              runbooks: [{ id: "tell", exec: ["./tell", "${TOKEN}"], timeout: "10s" }],
            }
            """)

        let failed = try await workplace.muster("apply", "-f", "deploy.json5", "--verbose", "--format", "json").run()
        try workplace.write("fine", "")
        let done = try await workplace.muster("apply", "-f", "deploy.json5", "--verbose").run()

        #expect(failed.code == 1, "\(failed)")
        #expect(done.code == 0, "\(done)")
        let ledger = try await SQLiteFile(path: workplace.folder.appending(path: ".muster/ledger.db")).sql(".dump")
        #expect(ledger.contains("told "), "the output was kept with the attempt")
        #expect(ledger.contains("${TOKEN}"), "the manifest is kept as it was before expansion")
        for text in [failed.output, failed.errors, done.output, done.errors, ledger] {
            #expect(!text.contains(Self.token))
        }
    }
}
