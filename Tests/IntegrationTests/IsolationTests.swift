import Foundation
import TestSupport
import Testing

/// Nothing of one tenant reaches another one on the same connection, and no name is taken for SQL.
@Suite(.needsPostgres) struct IsolationTests {
    private func manifest(_ script: String, extras: String = "", target: String = "schema: \"{schema}\"") -> String {
        """
        {
          manifest: 1,
          ledger: { url: "${DATABASE_URL}" },
          tenants: {
            query: "SELECT slug AS id, schema_name AS schema FROM public.tenants ORDER BY slug",
            target: { \(target) },
          },
          concurrency: { tenants: 1 },
          runbooks: [{ id: "one", sql: "\(script)", \(extras) }],
        }
        """
    }

    /// Each tenant's script first demands that nothing is there, then leaves everything behind that a session can hold.
    private static let leaks = """
        DO $$
        BEGIN
            IF current_setting('work_mem') = '12345kB' THEN RAISE 'a setting leaked'; END IF;
            IF coalesce(current_setting('app.leak', true), '') <> '' THEN RAISE 'a custom setting leaked'; END IF;
            IF current_user <> session_user THEN RAISE 'a role leaked'; END IF;
            IF current_schemas(false) <> ARRAY[current_schema()] THEN RAISE 'a search path leaked'; END IF;
            IF current_setting('session_replication_role') <> 'origin' THEN RAISE 'triggers are off'; END IF;
            IF to_regclass('pg_temp.findings') IS NOT NULL THEN RAISE 'a temporary table leaked'; END IF;
            IF EXISTS (SELECT 1 FROM pg_prepared_statements WHERE name = 'leak') THEN RAISE 'a statement leaked'; END IF;
            IF EXISTS (SELECT 1 FROM pg_cursors WHERE name = 'leak') THEN RAISE 'a cursor leaked'; END IF;
            IF EXISTS (SELECT 1 FROM pg_listening_channels()) THEN RAISE 'a channel leaked'; END IF;
            IF EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) THEN
                RAISE 'an advisory lock leaked';
            END IF;
        END
        $$;
        INSERT INTO public.pids VALUES (current_schema(), pg_backend_pid());
        SET work_mem = '12345kB';
        SET app.leak = 'yes';
        SET session_replication_role = replica;
        CREATE TEMP TABLE findings (id int);
        PREPARE leak AS SELECT 1;
        DECLARE leak CURSOR WITH HOLD FOR SELECT 1;
        LISTEN leak;
        SELECT pg_advisory_lock(4711);
        SET search_path = pg_temp, public;

        """

    /// Guarantee: settings, roles, temporary tables, prepared statements, cursors, channels and advisory locks of one
    /// tenant's script are gone when the next tenant's begins, on the same connection.
    @Test(arguments: [true, false]) func nothingLeaksToTheNextTenant(_ isTransactional: Bool) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 6, in: database)
            try await database.psql(
                "CREATE TABLE public.pids (tenant name, pid int); CREATE ROLE \(database.name)_leak; "
                    + "GRANT ALL ON ALL TABLES IN SCHEMA public TO \(database.name)_leak")
            try workplace.write("leaks.sql", Self.leaks + "SET ROLE \(database.name)_leak;\n")
            try workplace.write(
                "deploy.json5", manifest("leaks.sql", extras: isTransactional ? "" : "transaction: false"))

            let report = try await workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            let pids = try await database.lines("SELECT count(*), count(DISTINCT pid) FROM public.pids")
            #expect(pids == ["6|1"], "one connection did all of them, or this test proves nothing")
            try await database.psql("DROP OWNED BY \(database.name)_leak; DROP ROLE \(database.name)_leak")
        }
    }

    /// Guarantee: a failing script leaves nothing to the next tenant either.
    @Test func nothingLeaksAfterAFailure() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 4, in: database)
            try await database.psql("CREATE TABLE public.pids (tenant name, pid int)")
            try workplace.write("leaks.sql", Self.leaks + "SELECT 1 / 0;\n")
            try workplace.write("deploy.json5", manifest("leaks.sql"))

            let report = try await workplace.apply()

            #expect(report.exitCode == 1)
            #expect(report.failures.count == 4)
            #expect(report.failures.allSatisfy { $0.sqlstate == "22012" }, "\(report.failures)")
            let line = Self.leaks.count { $0 == "\n" } + 1
            #expect(report.failures.allSatisfy { $0.line == line }, "\(report.failures)")
            #expect(report.causes.map(\.count) == [4])
            #expect(try await database.lines("SELECT count(*) FROM public.pids") == ["0"])
        }
    }

    private static let hostile = [
        "Robert'); DROP TABLE public.tenants; --", #"quo"te"#, "semi;colon", "ünïcödé-日本", "{id}",
        "$1", "%s%d", #"back\slash"#, "public.tenants", " spaces ", String(repeating: "x", count: 63),
    ]

    private func literal(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }

    /// Guarantee: a name is a name: quotes, semicolons, newlines and templates in it are data from the query to the
    /// receipt.
    @Test func hostileNamesAreNames() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql("CREATE TABLE public.tenants (slug text PRIMARY KEY, schema_name text)")
            for name in Self.hostile {
                let identifier = "\"" + name.replacing("\"", with: "\"\"") + "\""
                try await database.psql(
                    "CREATE SCHEMA \(identifier); INSERT INTO public.tenants VALUES (\(literal(name)), \(literal(name)))"
                )
            }
            try workplace.write("one.sql", "CREATE TABLE here AS SELECT current_schema()::text AS schema;\n")
            try workplace.write("deploy.json5", manifest("one.sql"))

            let report = try await workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            let tables = try await database.lines("SELECT count(*) FROM pg_tables WHERE tablename = 'here'")
            #expect(tables == ["\(Self.hostile.count)"])
            let wrong = try await database.psql(
                """
                SELECT format('SELECT schema FROM %I.here WHERE schema <> %L', schema_name, schema_name)
                  FROM public.tenants \\gexec
                """)
            #expect(wrong == "")
            let recorded = try await database.lines(
                "SELECT count(*) FROM muster.completed AS c JOIN public.tenants AS t ON t.slug = c.tenant")
            #expect(recorded == ["\(Self.hostile.count)"])
        }
    }

    /// Guarantee: a name that cannot be a schema is refused before anything runs, in any tenant.
    @Test(arguments: ["$user", "pg_mine", String(repeating: "é", count: 32)])
    func impossibleNamesAreRefused(_ name: String) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql(
                """
                CREATE TABLE public.tenants (slug text PRIMARY KEY, schema_name text);
                CREATE SCHEMA good;
                INSERT INTO public.tenants VALUES ('good', 'good'), ('bad', \(literal(name)));
                """)
            try workplace.write("one.sql", "CREATE TABLE here (x int);\n")
            try workplace.write("deploy.json5", manifest("one.sql"))

            let report = try await workplace.apply()

            #expect(report.exitCode == 4)
            #expect(report.error?.message.contains("bad") == true, "\(String(describing: report.error))")
            #expect(try await database.lines("SELECT 1 FROM pg_tables WHERE tablename = 'here'") == [])
        }
    }

    /// Guarantee: a schema that is missing fails its tenant; its script does not run anywhere else.
    @Test func missingSchemaRunsNowhere() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql(
                """
                CREATE TABLE public.tenants (slug text PRIMARY KEY, schema_name text);
                CREATE SCHEMA good;
                INSERT INTO public.tenants VALUES ('good', 'good'), ('gone', 'gone');
                """)
            try workplace.write("one.sql", "CREATE TABLE here (x int);\n")
            try workplace.write("deploy.json5", manifest("one.sql"))

            let report = try await workplace.apply()

            #expect(report.exitCode == 3)
            #expect(report.failures.map(\.tenant) == ["gone"])
            let tables = try await database.lines("SELECT schemaname FROM pg_tables WHERE tablename = 'here'")
            #expect(tables == ["good"])
        }
    }

    /// Guarantee: functions, operators and tables in a tenant's schema do not answer in place of what Muster calls, even
    /// when the script puts its schema first.
    @Test func shadowingObjectsAreNotCalled() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try await fleet(of: 3, in: database)
            for schema in ["tenant_0001", "tenant_0002", "tenant_0003"] {
                try await database.psql(
                    """
                    SET search_path = \(schema);
                    CREATE FUNCTION trap() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed'; END $$;
                    CREATE FUNCTION set_config(text, text, boolean) RETURNS text
                        LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed set_config'; END $$;
                    CREATE FUNCTION current_setting(text, boolean) RETURNS text
                        LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed current_setting'; END $$;
                    CREATE FUNCTION pg_try_advisory_xact_lock(bigint) RETURNS boolean
                        LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed lock'; END $$;
                    CREATE FUNCTION now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed now'; END $$;
                    CREATE FUNCTION equal(text, text) RETURNS boolean
                        LANGUAGE plpgsql AS $$ BEGIN RAISE 'shadowed ='; END $$;
                    CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = equal);
                    CREATE TABLE executions (nothing int);
                    CREATE TABLE pg_class (nothing int);
                    """)
            }
            try workplace.write(
                "one.sql",
                """
                CREATE TABLE here (x int);
                -- Muster's own statements that follow must not be taken in.
                SELECT pg_catalog.set_config('search_path', current_schema() || ', pg_catalog', false);

                """)
            try workplace.write("deploy.json5", manifest("one.sql"))

            let report = try await workplace.apply()

            #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            #expect(try await database.lines("SELECT count(*) FROM muster.completed") == ["3"])
        }
    }

    /// Guarantee: two tenants with one schema, or one id, and an id that breaks lines are refused before anything runs.
    @Test(arguments: [
        "('a', 'one'), ('b', 'one')", "('a', 'one'), ('a', 'two')", "('a', 'one'), (E'b\\nc', 'two')",
    ])
    func impossibleSetsAreRefused(_ rows: String) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql(
                """
                CREATE TABLE public.tenants (slug text, schema_name text);
                CREATE SCHEMA one;
                CREATE SCHEMA two;
                INSERT INTO public.tenants VALUES \(rows);
                """)
            try workplace.write("one.sql", "CREATE TABLE here (x int);\n")
            try workplace.write("deploy.json5", manifest("one.sql"))

            #expect(try await workplace.apply().exitCode == 4)
            #expect(try await database.lines("SELECT 1 FROM pg_tables WHERE tablename = 'here'") == [])
        }
    }
}
