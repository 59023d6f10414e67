import Foundation
import TestSupport
import Testing

/// `plan` and `status` only look.
@Suite struct PlanLeavesNoTraceTests {
    private static let questions: [[String]] = [
        ["plan"], ["plan", "--format", "json"], ["status"], ["tenants"], ["locks", "list"], ["runs"],
    ]

    /// Guarantee: a login that may only read is enough for plan, before there is a ledger and after, and the database's
    /// dump is the same before and after, ledger and all.
    @Test(.needsPostgres) func readOnlyLoginIsEnough() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 5, in: database)
            let reader = "\(database.name)_reader"
            try await database.psql(
                """
                CREATE ROLE \(reader) LOGIN;
                GRANT pg_read_all_data TO \(reader);
                ALTER DATABASE \(database.name) SET default_transaction_read_only = on;
                """)
            let asReader = try Workplace(
                sample: "findings-lifecycle/postgres",
                environment: ["DATABASE_URL": database.url.replacing("user=postgres", with: "user=\(reader)")])

            let before = try await database.dump(ledger: true)
            let plan = try await asReader.muster("plan", "-f", "deploy.json5", "--format", "json").run()
            #expect(plan.code == 0, "\(plan)")
            let document = try JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [String: Any]
            #expect(document?["ledger_exists"] as? Bool == false)
            #expect(document?["pending"] as? Int == 16)
            try await expectSame(database.dump(ledger: true), before, "the database before and after")

            try await database.psql(
                "SET default_transaction_read_only = off; ALTER DATABASE \(database.name) RESET ALL")
            #expect(try await workplace.apply("--phase", "pre-deploy").exitCode == 0)
            try await database.psql("ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
            let middle = try await database.dump(ledger: true)
            for question in Self.questions {
                let ending = try await asReader.muster(question, "-f", "deploy.json5").run()
                #expect(ending.code == 0, "\(question): \(ending)")
            }
            try await expectSame(database.dump(ledger: true), middle, "the database before and after")
            try await database.psql("SET default_transaction_read_only = off; DROP OWNED BY \(reader)")
            try await PostgresDatabase.administer("DROP ROLE \(reader)")
        }
    }

    /// Guarantee: no byte of a folder changes and no file appears, before there is a ledger and after.
    @Test func sqliteFolderStaysAsItIs() async throws {
        let workplace = try Workplace(sample: "findings-lifecycle/sqlite")
        try await Command("./setup", "5", folder: workplace.folder).output()

        let before = try await workplace.contents()
        let plan = try await workplace.muster("plan", "-f", "deploy.json5").run()
        #expect(plan.code == 0, "\(plan)")
        try await expectSame(workplace.contents(), before, "every file before and after")

        #expect(try await workplace.apply("--phase", "pre-deploy").exitCode == 0)
        let middle = try await workplace.contents()
        for question in Self.questions {
            let ending = try await workplace.muster(question, "-f", "deploy.json5").run()
            #expect(ending.code == 0, "\(question): \(ending)")
        }
        try await expectSame(workplace.contents(), middle, "every file before and after")
    }

    /// Guarantee: a tenant in write-ahead mode is left alone too, its leftover log is not folded in.
    @Test func writeAheadLogIsNotFoldedIn() async throws {
        let workplace = try Workplace(sample: "findings-lifecycle/sqlite")
        try await Command(
            "sh", "-ec",
            """
            ./setup 2
            sqlite3 tenants/tenant-0001.db 'PRAGMA journal_mode = WAL' >/dev/null
            cp tenants/tenant-0001.db kept.db
            sqlite3 tenants/tenant-0001.db '.dbconfig no_ckpt_on_close on' \
                "UPDATE findings SET severity = 'high'" >/dev/null
            test -s tenants/tenant-0001.db-wal
            """, folder: workplace.folder
        ).output()

        let before = try await Command(
            "sh", "-c", "sha256sum tenants/*.db tenants/*-wal", folder: workplace.folder
        ).output()
        let plan = try await workplace.muster("plan", "-f", "deploy.json5").run()

        #expect(plan.code == 0, "\(plan)")
        let after = try await Command(
            "sh", "-c", "sha256sum tenants/*.db tenants/*-wal", folder: workplace.folder
        ).output()
        #expect(after == before)
    }
}
