import Foundation
import TestSupport
import Testing

/// `muster ledger baseline`, `list` and `export` as a person calls them.
@Suite struct BaselineTests {
    private func filePlace() async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write("tenants/.keep", "")
        for name in ["a", "b", "c"] {
            try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(name).db"))
                .sql("CREATE TABLE effects (what);")
        }
        for name in ["one", "two"] {
            try workplace.write("\(name).sql", "INSERT INTO effects VALUES ('\(name)');\n")
        }
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1, ledger: { url: "sqlite:ledger.db" }, tenants: { files: "tenants/*.db" },
              runbooks: [
                { id: "one", sql: "one.sql" }, { id: "two", after: ["one"], sql: "two.sql" },
                { id: "once", scope: "workspace", phase: "post-deploy", exec: ["touch", "announced"] },
              ],
            }
            """)
        return workplace
    }

    private func baseline(_ workplace: Workplace, _ arguments: String...) async throws -> Ending {
        try await workplace.muster(["ledger", "baseline", "-f", "deploy.json5"] + arguments).run()
    }

    private func effects(_ workplace: Workplace, _ tenant: String) async throws -> [String] {
        try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(tenant).db"))
            .lines("SELECT what FROM effects ORDER BY 1")
    }

    /// Guarantee: a fleet that has everything is adopted, without a ledger before, without running anything; the proof
    /// stands in the files too, so that a lost ledger is made again from them.
    @Test func fleetIsAdopted() async throws {
        let workplace = try await filePlace()
        #expect(try await baseline(workplace, "--all-tenants").code == 64)
        #expect(try await baseline(workplace, "--reason", "x").code == 64)
        #expect(try await baseline(workplace, "--all-tenants", "--tenant", "a", "--reason", "x").code == 64)
        #expect(try await baseline(workplace, "--tenant", "z", "--reason", "x").code == 4)
        #expect(try await baseline(workplace, "--all-tenants", "--runbook", "z", "--reason", "x").code == 4)
        #expect(!workplace.exists("ledger.db"))

        let adopted = try await baseline(
            workplace, "--all-tenants", "--reason", "done by hand in May", "--format", "json")

        #expect(adopted.code == 0, "\(adopted)")
        #expect(adopted.output.contains(#""schema": "muster.baseline/1""#), "\(adopted)")
        #expect(try await workplace.apply().nothingToDo)
        #expect(!workplace.exists("announced"))
        for name in ["a", "b", "c"] { #expect(try await effects(workplace, name) == []) }
        let ledger = SQLiteFile(path: workplace.folder.appending(path: "ledger.db"))
        #expect(
            try await ledger.lines("SELECT DISTINCT kind || ' ' || reason FROM muster_events")
                == ["baseline done by hand in May"])
        #expect(try await ledger.lines("SELECT count(*) FROM muster_completed") == ["7"])
        #expect(try await baseline(workplace, "--all-tenants", "--reason", "again").code == 0)
        #expect(try await ledger.lines("SELECT count(*) FROM muster_events") == ["7"], "nothing was left to declare")
        let repair = try await workplace.muster("ledger", "repair", "-f", "deploy.json5").run()
        #expect(repair.code == 0, "\(repair)")

        for suffix in ["", "-wal", "-shm"] where workplace.exists("ledger.db\(suffix)") {
            try workplace.remove("ledger.db\(suffix)")
        }
        #expect(try await workplace.apply().exitCode == 0)
        for name in ["a", "b", "c"] { #expect(try await effects(workplace, name) == []) }
    }

    /// Guarantee: who names a tenant and a runbook declares these and no others, nothing of the workspace's own; the rest
    /// runs, and what it comes after counts as done.
    @Test func newTenantIsBaselined() async throws {
        let workplace = try await filePlace()
        let one = try await baseline(workplace, "--tenant", "b", "--runbook", "one", "--reason", "from the template")
        #expect(one.code == 0, "\(one)")
        #expect(one.output.contains("1 execution declared done"), "\(one)")
        #expect(try await baseline(workplace, "--tenant", "c", "--reason", "from the template", "--yes").code == 0)
        #expect(try await workplace.apply().exitCode == 0)
        #expect(try await effects(workplace, "a") == ["one", "two"])
        #expect(try await effects(workplace, "b") == ["two"])
        #expect(try await effects(workplace, "c") == [])
        #expect(workplace.exists("announced"))
        let check = try await workplace.muster("check", "one", "two", "--all-tenants", "-f", "deploy.json5").run()
        #expect(check.code == 0, "\(check)")
    }

    /// Guarantee: work whose end nobody saw is never declared over: nothing at all is changed, and exit 5 says who decides.
    @Test func unknownIsRefused() async throws {
        let workplace = try await filePlace()
        #expect(try await baseline(workplace, "--tenant", "a", "--runbook", "one", "--reason", "x").code == 0)
        let ledger = SQLiteFile(path: workplace.folder.appending(path: "ledger.db"))
        try await ledger.sql(
            """
            INSERT INTO muster_executions (workspace, tenant, runbook, key, state, attempt, checksum)
            VALUES ('default', 'b', 'two', '1', 'unknown', 1, 'sha256:x');
            """)
        let refused = try await baseline(workplace, "--all-tenants", "--reason", "x")
        #expect(refused.code == 5, "\(refused)")
        #expect(refused.errors.contains("muster resolve two@1 --tenant b"), "\(refused)")
        #expect(try await ledger.lines("SELECT count(*) FROM muster_executions") == ["2"])
        #expect(try await baseline(workplace, "--skip-tenant", "b", "--reason", "x").code == 0)
        #expect(try await ledger.lines("SELECT count(*) FROM muster_completed") == ["4"])
    }

    /// Guarantee: in PostgreSQL too, beside the ledger and in tenants' own databases, where the receipts are made.
    @Test(.needsPostgres, arguments: [true, false]) func postgresIsBaselined(_ isLocal: Bool) async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql(
                "CREATE TABLE public.witness (tenant name);\n"
                    + (1...6).map { "CREATE SCHEMA t\($0);" }.joined(separator: "\n"))
            try workplace.write("one.sql", "INSERT INTO public.witness VALUES (current_schema());\n")
            let ledger = isLocal ? "${DATABASE_URL}" : "sqlite:ledger.db"
            let tenants = (1...6).map { "{ id: \"t\($0)\", schema: \"t\($0)\", plan: \"\($0 < 4 ? "old" : "new")\" }" }
            try workplace.write(
                "deploy.json5",
                """
                {
                  manifest: 1, ledger: { url: "\(ledger)" },
                  tenants: { list: [\(tenants.joined(separator: ", "))],
                             target: { url: "${DATABASE_URL}", schema: "{schema}" } },
                  runbooks: [{ id: "one", sql: "one.sql" }],
                }
                """)
            let adopted = try await baseline(workplace, "--match", "plan=old", "--reason", "adopted")
            #expect(adopted.code == 0, "\(adopted)")
            #expect(adopted.output.contains("3 executions declared done"), "\(adopted)")
            let place = isLocal ? "muster.executions" : "muster.receipts"
            #expect(
                try await database.lines("SELECT state, count(*) FROM \(place) GROUP BY 1") == ["baselined|3"])
            #expect(try await workplace.apply().exitCode == 0)
            #expect(
                try await database.lines("SELECT tenant FROM public.witness ORDER BY 1") == ["t4", "t5", "t6"])
        }
    }

    /// Guarantee: a tenant at work is waited for and then named, with exit 75.
    @Test(.needsPostgres) func busyTenantIsNamed() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql("CREATE SCHEMA t1; CREATE SCHEMA t2;")
            try workplace.write("one.sql", "SELECT 1;\n")
            try workplace.write(
                "deploy.json5",
                """
                {
                  manifest: 1, ledger: { url: "${DATABASE_URL}" },
                  tenants: { list: [{ id: "t1", schema: "t1" }, { id: "t2", schema: "t2" }], target: { schema: "{schema}" } },
                  runbooks: [{ id: "one", sql: "one.sql" }],
                }
                """)
            let shown = try await workplace.muster("locks", "key", "t1", "-f", "deploy.json5", "--format", "json").run()
            let key = try #require(shown.output.firstMatch(of: /"key": (-?\d+)/)?.1)
            let holder = try Command(
                "psql", database.url, "-c", "SELECT pg_advisory_lock(\(key)), pg_sleep(600)", folder: workplace.folder
            ).start()
            let isHeld = try await eventually {
                try await database.lines("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == ["1"]
            }
            try #require(isHeld)
            let busy = try await baseline(
                workplace, "--all-tenants", "--reason", "x", "--lock-wait", "100ms", "--format", "json")
            #expect(busy.code == 75, "\(busy)")
            #expect(busy.output.contains(#""reason": "busy""#), "\(busy)")
            #expect(try await database.lines("SELECT tenant FROM muster.completed") == ["t2"])
            holder.send(SIGTERM)
            _ = try await holder.ending()
        }
    }

    /// Guarantee: the ledger is listed with and without a manifest, and exported line by line, each line one JSON object.
    @Test func ledgerIsListedAndExported() async throws {
        let workplace = try await filePlace()
        let none = try await workplace.muster("ledger", "export", "--ledger", "sqlite:ledger.db").run()
        #expect(none.code == 4, "\(none)")
        #expect(!workplace.exists("ledger.db"))
        #expect(try await baseline(workplace, "--tenant", "b", "--reason", "x").code == 0)
        try await SQLiteFile(path: workplace.folder.appending(path: "tenants/c.db")).sql("DROP TABLE effects;")
        #expect(try await workplace.apply().exitCode == 3)
        let before = try await workplace.contents()

        let listed = try await workplace.muster("ledger", "list", "-f", "deploy.json5").run()
        #expect(listed.code == 0, "\(listed)")
        #expect(listed.output.contains(/one@1 +pre-deploy +1 +1 +1/), "\(listed)")
        let tenant = try await workplace.muster(
            "ledger", "list", "--tenant", "b", "--ledger", "sqlite:ledger.db", "--format", "json"
        ).run()
        #expect(tenant.code == 0, "\(tenant)")
        #expect(tenant.output.contains(#""state": "baselined""#), "\(tenant)")
        let unknown = try await workplace.muster("ledger", "list", "--tenant", "z", "-f", "deploy.json5").run()
        #expect(unknown.code == 4, "\(unknown)")

        for (flags, states) in [([], ["succeeded"]), (["--all"], ["failed", "succeeded"])] {
            let export = try await workplace.muster(["ledger", "export", "--ledger", "sqlite:ledger.db"] + flags).run()
            #expect(export.code == 0, "\(export)")
            let lines = try export.output.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            let found = Set(lines.compactMap { $0["state"] as? String }).subtracting(["baselined"])
            #expect(found.sorted() == states)
            #expect(
                lines.compactMap { $0["tenant"] as? String }.sorted() == lines.compactMap { $0["tenant"] as? String })
        }
        #expect(try await workplace.contents() == before, "questions write nothing")
    }
}
