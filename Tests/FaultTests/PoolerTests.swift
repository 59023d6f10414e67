import Foundation
import TestSupport
import Testing

/// A real PgBouncer between Muster and the server.
@Suite struct PoolerTests {
    /// A script that looks what others left behind before it does its own, and leaves as much as it can. It fails when it
    /// sees anything.
    private static let leaky = """
        DO $$ BEGIN
            IF current_setting('app.leak', true) <> '' THEN
                RAISE EXCEPTION 'a setting of % leaked', current_setting('app.leak', true); END IF;
            IF current_setting('work_mem') <> '4MB' THEN RAISE EXCEPTION 'work_mem leaked'; END IF;
            IF EXISTS (SELECT FROM pg_class WHERE relname = 'scratch' AND relpersistence = 't'
                AND relnamespace = pg_my_temp_schema()) THEN RAISE EXCEPTION 'a temporary table leaked'; END IF;
            IF EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'leak') THEN
                RAISE EXCEPTION 'a prepared statement leaked'; END IF;
            IF EXISTS (SELECT FROM pg_listening_channels()) THEN RAISE EXCEPTION 'LISTEN leaked'; END IF;
            IF EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND objid = 4711) THEN
                RAISE EXCEPTION 'an advisory lock leaked'; END IF;
        END $$;
        CREATE TABLE own (tenant text);
        INSERT INTO own VALUES (current_schema());
        INSERT INTO public.witness (tenant, runbook) VALUES (current_schema(), 'leaky');
        SELECT set_config('app.leak', current_schema(), false);
        SET work_mem = '5MB';
        CREATE TEMP TABLE scratch (x int);
        PREPARE leak AS SELECT 1;
        LISTEN leak;
        SELECT pg_advisory_lock(hashtext(current_schema()), 4711);
        SET search_path = public;

        """

    /// Guarantee: transactional work on 200 schemas goes through a pooler in transaction or session mode, the ledger
    /// too, by two runners at once; no tenant meets another's search_path, settings, temporary or prepared things.
    @Test(.needsPostgres, arguments: ["transaction", "session"]) func transactionalWorkGoesThrough(
        mode: String
    ) async throws {
        try await Pooler.with(mode: mode, size: mode == "session" ? 20 : 3) { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    200, in: database, url: pooler.url(database),
                    runbooks: """
                        { id: "leaky", sql: "leaky.sql" },
                        { id: "second", after: ["leaky"], sql: "second.sql", verify: "verify.sql" },
                        """,
                    scripts: [
                        "leaky.sql": Self.leaky, "second.sql": traced("second"),
                        "verify.sql": "SELECT count(*) = 1 AND min(tenant) = current_schema() FROM own;\n",
                    ])
                let runners = [try fleet.start(), try fleet.start()]
                for runner in runners {
                    let report = try PrintedReport(try await runner.ending())
                    #expect(report.exitCode == 0, "\(report.causes) \(String(describing: report.error))")
                }
                #expect(try await fleet.lostAndRepeated(of: 200, "leaky") == (lost: 0, repeated: 0))
                #expect(try await fleet.lostAndRepeated(of: 200, "second") == (lost: 0, repeated: 0))
                #expect(try await fleet.runs() == ["completed succeeded 0"])
                let backends = try await database.lines("SELECT count(DISTINCT backend) FROM public.witness")
                if mode == "transaction" { #expect(Int(backends.first ?? "") ?? 0 <= 3, "\(backends)") }
                #expect(try await fleet.workplace.apply().nothingToDo)
                let locks = try await database.lines(
                    """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """)
                #expect(locks == ["0"])
            }
        }
    }

    /// Guarantee: a script that fails leaves no more behind a pooler than one that succeeds.
    @Test(.needsPostgres) func failedScriptsLeaveNothingInThePool() async throws {
        try await Pooler.with(mode: "transaction") { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    40, in: database, url: pooler.url(database), runbooks: #"{ id: "leaky", sql: "leaky.sql" }"#,
                    scripts: [
                        "leaky.sql": Self.leaky
                            + "DO $$ BEGIN RAISE EXCEPTION 'as meant' USING errcode = '23514'; END $$;\n"
                    ])
                let report = try await fleet.workplace.apply()
                #expect(report.exitCode == 1)
                #expect(report.causes.map(\.count) == [40], "\(report.causes)")
                #expect(report.failures.allSatisfy { $0.message == "as meant" }, "\(report.causes)")
                let locks = try await database.lines(
                    """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """)
                #expect(locks == ["0"])
            }
        }
    }

    private static let session = #"{ id: "index", transaction: false, sql: "index.sql" }"#
    private static let scripts = [
        "index.sql": "CREATE TABLE own (x int);\nCREATE INDEX CONCURRENTLY own_x ON own (x);\n"
            + "INSERT INTO public.witness (tenant, runbook) VALUES (current_schema(), 'index');\n"
    ]

    /// Guarantee: what needs a session is refused, with advice and before anything is touched, behind a pooler in
    /// transaction mode that nobody declared.
    @Test(.needsPostgres) func sessionWorkIsRefused() async throws {
        try await Pooler.with(mode: "transaction") { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    5, in: database, url: pooler.url(database), runbooks: Self.session, scripts: Self.scripts)
                let report = try await fleet.workplace.apply()
                #expect(report.exitCode == 4)
                #expect(report.error?.code == "pooler")
                #expect(report.error?.message.contains("direct_url") == true, "\(String(describing: report.error))")
                #expect(try await fleet.effects() == 0)
                #expect(try await database.lines("SELECT to_regclass('muster.runs') IS NULL") == ["t"])
            }
        }
    }

    /// Guarantee: so it is when only some tenants are behind it.
    @Test(.needsPostgres) func sessionWorkIsRefusedWhereverThePoolerIs() async throws {
        try await Pooler.with(mode: "transaction") { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    2, in: database, runbooks: Self.session, scripts: Self.scripts)
                let manifest = try fleet.workplace.read("deploy.json5")
                    .replacing(
                        "nspname as schema from",
                        with:
                            "nspname as schema, case nspname when 't0001' then '\(database.url)' else '\(pooler.url(database))' end as url from"
                    )
                    .replacing(#"target: { url: "${DATABASE_URL}","#, with: #"target: { url: "{url}","#)
                try fleet.workplace.write("deploy.json5", manifest)
                let report = try await fleet.workplace.apply()
                #expect(report.exitCode == 4, "\(report)")
                #expect(report.error?.code == "pooler")
                #expect(try await fleet.effects() == 0)
            }
        }
    }

    /// Guarantee: with `direct_url` beside the pooler's address a stage with such work runs on the direct connection.
    @Test(.needsPostgres) func sessionWorkGoesTheDirectWay() async throws {
        try await Pooler.with(mode: "transaction") { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    20, in: database, url: pooler.url(database), target: #"direct_url: "\#(database.url)""#,
                    runbooks: #"{ id: "first", sql: "first.sql" }, "# + Self.session,
                    scripts: Self.scripts.merging(["first.sql": traced("first")]) { $1 })
                let report = try await fleet.workplace.apply()
                #expect(report.exitCode == 0, "\(report.causes) \(String(describing: report.error))")
                #expect(try await fleet.lostAndRepeated(of: 20, "index") == (lost: 0, repeated: 0))
                #expect(try await fleet.lostAndRepeated(of: 20, "first") == (lost: 0, repeated: 0))
            }
        }
    }

    /// Guarantee: a pooler in session mode is recognised, or declared, and such work goes through it.
    @Test(.needsPostgres, arguments: ["", #"pooler: "session""#]) func sessionModeKeepsSessions(target: String)
        async throws
    {
        try await Pooler.with(mode: "session", size: 20) { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    10, in: database, url: pooler.url(database), target: target, runbooks: Self.session,
                    scripts: Self.scripts)
                let report = try await fleet.workplace.apply()
                #expect(report.exitCode == 0, "\(report.causes) \(String(describing: report.error))")
                #expect(try await fleet.lostAndRepeated(of: 10) == (lost: 0, repeated: 0))
            }
        }
    }

    /// Guarantee: tenants in files whose ledger is behind a pooler in transaction mode are refused without a direct way,
    /// since their locks need a session.
    @Test(.needsPostgres) func locksOfFilesNeedASession() async throws {
        try await Pooler.with(mode: "transaction") { pooler in
            try await PostgresDatabase.with { database in
                let workplace = try Workplace(environment: ["LEDGER_URL": pooler.url(database)])
                try workplace.write("quick.sql", "CREATE TABLE done (x);\n")
                for name in ["a", "b"] {
                    try FileManager.default.createDirectory(
                        at: workplace.folder.appending(path: "tenants"), withIntermediateDirectories: true)
                    try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(name).db"))
                        .sql("CREATE TABLE t (x);")
                }
                func manifest(_ direct: String) -> String {
                    """
                    { manifest: 1, ledger: { url: "${LEDGER_URL}", \(direct) }, tenants: { files: "tenants/*.db" },
                      runbooks: [{ id: "quick", sql: "quick.sql" }] }
                    """
                }
                try workplace.write("deploy.json5", manifest(""))
                let refused = try await workplace.apply()
                #expect(refused.exitCode == 4, "\(refused.failures)")
                #expect(refused.error?.message.contains("direct_url") == true, "\(String(describing: refused.error))")

                try workplace.write("deploy.json5", manifest(#"direct_url: "\#(database.url)""#))
                let done = try await workplace.apply()
                #expect(done.exitCode == 0, "\(done.failures)")
                #expect(done.counts.succeeded == 2)
            }
        }
    }

    /// Guarantee: a rehearsal goes through a pooler in transaction mode: it predicts what apply then does, and leaves
    /// nothing in the database, on the pool's connections, or locked.
    @Test(.needsPostgres) func rehearsalGoesThrough() async throws {
        try await Pooler.with(mode: "transaction", size: 3) { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    40, in: database, url: pooler.url(database),
                    runbooks: """
                        { id: "leaky", sql: "leaky.sql" },
                        { id: "second", after: ["leaky"], sql: "second.sql", verify: "verify.sql" },
                        """,
                    scripts: [
                        "leaky.sql": "SELECT 1 / (current_schema() <> 't0007')::int;\n" + Self.leaky,
                        "second.sql": traced("second"),
                        "verify.sql": "SELECT count(*) = 1 AND min(tenant) = current_schema() FROM own;\n",
                    ])
                let before = try await database.dump(ledger: true)

                let ending = try await fleet.workplace.muster("rehearse", "-f", "deploy.json5", "--format", "json")
                    .run()

                #expect(ending.code == 3, "\(ending)")
                #expect(ending.output.contains("division by zero"), "\(ending)")
                #expect(!ending.output.contains("leaked"), "\(ending)")
                #expect(try await database.dump(ledger: true) == before)
                let locks = try await database.lines(
                    """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """)
                #expect(locks == ["0"])
                let applied = try await fleet.workplace.apply()
                #expect(applied.exitCode == 3)
                #expect(applied.failures.map(\.tenant) == ["t0007"], "\(applied.causes)")
                #expect(applied.failures.map(\.message) == ["division by zero"])
                #expect(try await fleet.lostAndRepeated(of: 39, "second") == (lost: 0, repeated: 0))
            }
        }
    }

    /// Guarantee: a backfill holds its tenant's lock from batch to batch, and so needs a session: behind a pooler in
    /// transaction mode it is refused with advice and before anything is touched; the direct way it goes.
    @Test(.needsPostgres) func backfillNeedsTheDirectWay() async throws {
        try await Pooler.with(mode: "transaction") { pooler in
            try await PostgresDatabase.with { database in
                let fleet = try await SchemaFleet.make(
                    4, in: database, url: pooler.url(database), target: "/* here */",
                    runbooks: #"{ id: "fill", batch: { sql: "fill.sql", size: 10 } }"#,
                    scripts: [
                        "fill.sql":
                            "UPDATE items SET touched = touched + 1 WHERE id IN (SELECT id FROM items WHERE touched = 0 LIMIT :limit)\n"
                    ])
                try await database.psql(
                    """
                    DO $$ BEGIN FOR i IN 1..4 LOOP
                        EXECUTE format('CREATE TABLE %I.items AS SELECT id, 0 AS touched FROM generate_series(1, 95) id',
                            't' || to_char(i, 'FM0000'));
                    END LOOP; END $$;
                    """)
                let refused = try await fleet.workplace.apply()
                #expect(refused.exitCode == 4)
                #expect(refused.error?.code == "pooler")
                #expect(refused.error?.message.contains("fill needs a session") == true, "\(refused)")
                #expect(refused.error?.message.contains("direct_url") == true, "\(refused)")
                #expect(try await database.lines("SELECT to_regclass('muster.runs') IS NULL") == ["t"])

                let manifest = try fleet.workplace.read("deploy.json5")
                try fleet.workplace.write(
                    "deploy.json5", manifest.replacing("/* here */", with: #"direct_url: "\#(database.url)""#))
                let done = try await fleet.workplace.apply()
                #expect(done.exitCode == 0, "\(done.causes) \(String(describing: done.error))")
                for tenant in 1...4 {
                    let counts = "SELECT count(*), min(touched), max(touched) FROM t000\(tenant).items"
                    #expect(try await database.lines(counts) == ["95|1|1"])
                }
            }
        }
    }
}
