import Foundation
import TestSupport
import Testing

/// Every sample in manifests/ runs as it stands.
@Suite struct SampleTests {
    static let sqlite = [
        "findings-lifecycle/sqlite", "command-source", "exec-hook", "match-labels", "non-transactional", "verify",
        "waves", "preflight",
        "table-rebuild", "batch-backfill/sqlite",
    ]
    static let postgres = [
        "findings-lifecycle/postgres", "row-per-tenant", "database-per-tenant", "batch-backfill/postgres",
    ]

    /// Guarantee: no sample is left out below.
    @Test func everySampleIsListed() throws {
        let folder = Checkout.root.appending(path: "manifests")
        let found = try #require(FileManager.default.enumerator(atPath: folder.path))
            .compactMap { $0 as? String }
            .filter { $0.hasSuffix("deploy.json5") }
            .map { String($0.dropLast("/deploy.json5".count)) }
        #expect(Set(found) == Set(Self.sqlite + Self.postgres))
    }

    @Test(arguments: sqlite) func sampleRunsOnSQLite(_ name: String) async throws {
        try await expectToRun(Workplace(sample: name))
    }

    @Test(.needsPostgres, arguments: postgres) func sampleRunsOnPostgres(_ name: String) async throws {
        try await PostgresDatabase.with { database in
            try await expectToRun(Workplace(sample: name, environment: ["DATABASE_URL": database.url]))
        }
    }

    /// Guarantee: validate, plan and apply end with 0, the proof by hand finds what the sample promises, and a second
    /// apply has nothing to do.
    private func expectToRun(_ workplace: Workplace) async throws {
        let folder = workplace.folder
        try await Command("./setup", folder: folder, environment: workplace.environment).output()
        for verb in ["validate", "plan", "tenants"] {
            let ending = try await workplace.muster(verb, "-f", "deploy.json5").run()
            #expect(ending.code == 0, "\(verb): \(ending)")
        }

        let report = try await workplace.apply()

        #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
        let proof = try await Command("./proof", folder: folder, environment: workplace.environment).output()
        #expect(proof == (try workplace.read("proof.expected")))
        let second = try await workplace.apply()
        #expect(second.exitCode == 0)
        #expect(second.nothingToDo)
        let status = try await workplace.muster("status", "-f", "deploy.json5").run()
        #expect(status.code == 0, "\(status)")
    }
}
