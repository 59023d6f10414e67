import DatabaseAccess
import Foundation
import LedgerStore
import SQLiteAccess
import TestSupport
import Testing

@Suite struct OpeningTests {
    /// Guarantee: whoever comes first creates the ledger, and the others find it whole.
    @Test(arguments: Engine.all) func manyOpenersMakeOneLedger(_ engine: Engine) async throws {
        try await LedgerPlace.with(engine) { place in
            let versions = try await Threads.run(8) { _ in
                let ledger = try place.open()
                defer { ledger.session.close() }
                try ledger.addRunner(UUID().uuidString, run: "r", host: "here", pid: 1)
                return try ledger.values("select version from {}ledger").map { $0[0].integer }
            }
            #expect(versions == Array(repeating: [LedgerSchema.version], count: 8))
            let ledger = try place.open()
            defer { ledger.session.close() }
            #expect(try ledger.value("select count(*) from {}runners")?.integer == 8)
        }
    }

    /// Guarantee 7: whoever only asks does not create a ledger, and leaves no trace.
    @Test(.needsPostgres) func readingAMissingLedgerMakesNothing() async throws {
        try await LedgerPlace.with(.postgresql) { place in
            let error = #expect(throws: LedgerError.self) { try place.read() }
            #expect(error?.code == .missing)
            let session = try place.session()
            defer { session.close() }
            #expect(try session.integer("SELECT count(*) FROM pg_namespace WHERE nspname = 'muster'") == 0)
        }
    }

    /// Guarantee 7: the same for a file, byte by byte.
    @Test func readingAFileWithoutLedgerLeavesItAlone() async throws {
        try await LedgerPlace.with(.sqlite) { place in
            let session = try place.session()
            try session.run("CREATE TABLE own (x)")
            session.close()
            let path = try #require(place.url.path)
            let before = try Data(contentsOf: URL(filePath: path))
            let error = #expect(throws: LedgerError.self) { try place.read() }
            #expect(error?.code == .missing)
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        }
    }

    /// Guarantee: a ledger from the future is refused by readers and writers, and stays as it is.
    @Test(arguments: Engine.all) func newerLedgerIsRefused(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            try ledger.change("update {}ledger set version = 99")
            #expect(throws: LedgerError.self) { try place.open() }
            let error = #expect(throws: LedgerError.self) { try place.read() }
            #expect(error?.code == .newer)
            #expect(error?.message.contains("99") == true)
            #expect(try ledger.value("select version from {}ledger")?.integer == 99)
        }
    }

    /// Guarantee: a ledger that was opened for questions is looked at again before it is written to.
    @Test(arguments: Engine.all) func ledgerUpgradedMeanwhileIsRefused(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let question = LedgerQuestion<Int?>("select 7", []) { $0.first?[0].integer }
            #expect(try ledger.readAgain(with: question) == 7)
            for (version, code) in [(99, LedgerError.Code.newer), (1, .older)] {
                try ledger.change("update {}ledger set version = \(version)")
                let error = #expect(throws: LedgerError.self) { try ledger.readAgain(with: question) }
                #expect(error?.code == code)
            }
        }
    }

    /// Guarantee: creation is one transaction; what fails in the middle of it leaves nothing, and may be tried again.
    @Test(arguments: Engine.all) func interruptedCreationLeavesNothing(_ engine: Engine) async throws {
        try await LedgerPlace.with(engine) { place in
            let session = try place.session()
            defer { session.close() }
            let obstacle = engine == .postgresql ? "muster.events" : "muster_events"
            if engine == .postgresql { try session.run("CREATE SCHEMA muster") }
            try session.run("CREATE TABLE \(obstacle) (x integer)")
            #expect(throws: LedgerError.self) { try place.open() }
            let tables =
                engine == .postgresql
                ? "SELECT count(*) FROM pg_class WHERE relnamespace = 'muster'::regnamespace"
                : "SELECT count(*) FROM sqlite_schema"
            #expect(try session.integer(tables) == 1)
            try session.run("DROP TABLE \(obstacle)")
            try place.open().session.close()
        }
    }

    /// Guarantee: a role that may not make schemas can use the one that was made for it.
    @Test(.needsPostgres) func schemaThatExistsNeedsNoRightToMakeOne() async throws {
        try await PostgresServer.withDatabase { url in
            let role = "muster_role_\(UUID().uuidString.prefix(8).lowercased())"
            let admin = try PostgresServer.open(url)
            defer {
                try? admin.run("DROP OWNED BY \(role); DROP ROLE \(role)")
                admin.close()
            }
            try admin.run("CREATE ROLE \(role) LOGIN; CREATE SCHEMA muster AUTHORIZATION \(role)")
            let session = try PostgresServer.open(ConnectionURL(parsing: "\(url.revealed)&user=\(role)"))
            defer { session.close() }
            #expect(throws: DatabaseError.self) { try session.run("CREATE SCHEMA other") }
            let ledger = try Ledger.open(session, schema: "muster", workspace: "default")
            #expect(try ledger.value("select version from {}ledger")?.integer == LedgerSchema.version)
            let receipts = PostgresReceipts(sql: ledger.sql, isLocal: false)
            try receipts.ensureTable(in: session)
            #expect(try ledger.value("select count(*) from {}receipts")?.integer == 0)
        }
    }

    /// Guarantee: whatever a schema is called, it is quoted everywhere: tables, functions, sequences, receipts.
    @Test(
        .needsPostgres,
        arguments: [
            "a\"b", "x'y", "$muster$", "back\\slash", "ü ñ 🐘", "a; drop schema public", "{s}", "new\nline", "%s", "$1",
            "UPPER", "select", "e\u{301}\"\u{301}",
        ])
    func schemaMayHaveAnyName(_ schema: String) async throws {
        try await LedgerPlace.with(.postgresql) { place in
            var place = place
            place.schema = schema
            let ledger = try place.open()
            defer { ledger.session.close() }
            let run = try #require(try ledger.begin(["t"]))
            let job = try #require(try ledger.claimJobs(run: run, runner: "a", limit: 1).first)
            for isLocal in [true, false] {
                let receipts = PostgresReceipts(sql: ledger.sql, isLocal: isLocal)
                try receipts.ensureTable(in: ledger.session)
                try ledger.session.run(receipts.message(around: "SELECT 1", for: Sample.ticket(job, run: run)))
                #expect(try ledger.value("select state from {}\(isLocal ? "executions" : "receipts")") == "succeeded")
            }
            #expect(try ledger.write([Sample.result(job)], run: run, runner: "a") == 1)
            #expect(try ledger.completeRun(run))
            let found = try ledger.session.integer(
                "SELECT count(*) FROM pg_namespace WHERE nspname = $1", [.text(schema)])
            #expect(found == 1)
        }
    }

    /// Guarantee: the views that scripts use have the columns that docs/ledger.md names, in that order.
    @Test(arguments: Engine.all) func viewsHaveTheirColumns(_ engine: Engine) async throws {
        let documented = [
            "completed": "workspace tenant runbook key completed_at run_id checksum",
            "pending_by_tenant": "workspace tenant runbook key phase state as_of",
            "run_summary": """
            workspace run_id phase status outcome total processed succeeded skipped failed blocked unknown cancelled \
            release revision door initiator_kind initiator_name initiator_url stop_reason started_at finished_at
            """,
            "failures": """
            workspace tenant runbook key state clean attempt sqlstate message detail hint file line statement run_id \
            started_at finished_at
            """,
        ]
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            for (view, columns) in documented {
                let found =
                    switch engine {
                    case .postgresql:
                        try ledger.values(
                            """
                            SELECT column_name FROM information_schema.columns
                            WHERE table_schema = 'muster' AND table_name = $1 ORDER BY ordinal_position
                            """, [.text(view)])
                    case .sqlite:
                        try ledger.values("SELECT name FROM pragma_table_info($1)", [.text("muster_\(view)")])
                    }
                #expect(found.compactMap { $0[0].text }.joined(separator: " ") == columns, "\(view)")
            }
        }
    }
}
