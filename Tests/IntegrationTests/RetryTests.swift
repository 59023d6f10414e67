import Foundation
import TestSupport
import Testing

/// `muster retry RUN` as a person calls it.
@Suite struct RetryTests {
    private func retry(_ workplace: Workplace, _ run: String, _ arguments: String...) async throws -> PrintedReport {
        let ending = try await workplace.muster(
            ["retry", run, "-f", "deploy.json5", "--format", "json"] + arguments
        ).run()
        let report = try PrintedReport(ending)
        #expect(Int(ending.code) == report.exitCode)
        return report
    }

    private static func manifest(_ ledger: String, _ tenants: String, _ more: String = "") -> String {
        """
        {
          manifest: 1, ledger: { url: "\(ledger)" }, tenants: { \(tenants) },
          runbooks: [
            { id: "one", sql: "one.sql" },
            { id: "two", after: ["one"], sql: "two.sql" },
            { id: "other", sql: "other.sql" },
            { id: "once", scope: "workspace", phase: "post-deploy", exec: ["true"] },\(more)
          ],
        }
        """
    }

    private static let files = "files: \"tenants/*.db\""

    /// Three files, in one of which `one` fails.
    private func filePlace() async throws -> Workplace {
        let workplace = try Workplace()
        try workplace.write("tenants/.keep", "")
        for name in ["a", "b", "c"] {
            try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(name).db"))
                .sql("CREATE TABLE effects (what);" + (name == "b" ? "CREATE TABLE obstacle (x);" : ""))
        }
        try workplace.write("one.sql", "CREATE TABLE obstacle (x);\nINSERT INTO effects VALUES ('one');\n")
        try workplace.write("two.sql", "INSERT INTO effects VALUES ('two');\n")
        try workplace.write("other.sql", "INSERT INTO effects VALUES ('other');\n")
        try workplace.write("deploy.json5", Self.manifest("sqlite:ledger.db", Self.files))
        return workplace
    }

    private func effects(_ workplace: Workplace, _ tenant: String) async throws -> [String] {
        try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(tenant).db"))
            .lines("SELECT what FROM effects ORDER BY 1")
    }

    /// Guarantee: what failed and what was blocked behind it runs again, in the tenants where it did, after the script
    /// was repaired; what the manifest has gained meanwhile does not. Its own failures can be retried in turn.
    @Test func failedTenantIsRetried() async throws {
        let workplace = try await filePlace()
        let first = try await workplace.apply()
        #expect(first.exitCode == 3)
        let run = try #require(first.run?.id)
        #expect(try await effects(workplace, "b") == ["other"])

        try workplace.write("new.sql", "INSERT INTO effects VALUES ('new');\n")
        try workplace.write(
            "deploy.json5",
            Self.manifest("sqlite:ledger.db", Self.files, "{ id: \"new\", sql: \"new.sql\" }"))
        let again = try await retry(workplace, run)
        #expect(again.exitCode == 1, "\(again)")
        #expect(again.next == "muster retry \(run) -f deploy.json5")
        #expect(again.counts.total == 1)
        #expect(again.failures.map(\.tenant) == ["b"])
        let second = try #require(again.run?.id)
        #expect(second != run)
        let events = try await SQLiteFile(path: workplace.folder.appending(path: "ledger.db"))
            .lines("SELECT run_id, kind, detail FROM muster_events")
        #expect(events == ["\(second)|retry|of run \(run)"])

        try await SQLiteFile(path: workplace.folder.appending(path: "tenants/b.db")).sql("DROP TABLE obstacle;")
        let words = try #require(again.next?.split(separator: " ").dropFirst().map(String.init))
        let ending = try await workplace.muster(words, "--format", "json").run()
        #expect(ending.code == 0, "\(ending)")
        #expect(try PrintedReport(ending).run?.joined == false)
        #expect(try await effects(workplace, "a") == ["one", "other", "two"])
        #expect(try await effects(workplace, "b") == ["one", "other", "two"])
        #expect(try await retry(workplace, second).nothingToDo)
        #expect(try await retry(workplace, run).nothingToDo)
        let whole = try await workplace.apply()
        #expect(whole.exitCode == 0, "\(whole)")
        #expect(try await effects(workplace, "a") == ["new", "one", "other", "two"])
        let good = try #require(whole.run?.id)
        let nothing = try await workplace.muster("retry", good, "-f", "deploy.json5").run()
        #expect(nothing.code == 0, "\(nothing)")
        #expect(nothing.output.contains("that run left nothing undone"), "\(nothing)")
    }

    /// Guarantee: a retry may be for some of the tenants that failed; it is a run of its own, and leaves the others alone.
    @Test func someOfWhatFailedIsRetried() async throws {
        let workplace = try await filePlace()
        func sql(_ tenant: String, _ text: String) async throws {
            try await SQLiteFile(path: workplace.folder.appending(path: "tenants/\(tenant).db")).sql(text)
        }
        try await sql("c", "CREATE TABLE obstacle (x);")
        let run = try #require(try await workplace.apply().run?.id)
        let unknown = try await retry(workplace, run, "--tenant", "d")
        #expect(unknown.exitCode == 4)
        #expect(unknown.error?.code == "unknown_name")
        #expect(try await retry(workplace, run, "--tenant", "a").nothingToDo)
        #expect(try await retry(workplace, run, "--tenant", "b").exitCode == 1)

        try await sql("b", "DROP TABLE obstacle;")
        try await sql("c", "DROP TABLE obstacle;")
        let some = try await retry(workplace, run, "--tenant", "b")
        #expect(some.exitCode == 0, "\(some)")
        #expect(some.counts.total == 1)
        #expect(try await effects(workplace, "b") == ["one", "other", "two"])
        #expect(try await effects(workplace, "c") == ["other"])
        let rest = try await retry(workplace, run, "--skip-tenant", "b")
        #expect(rest.exitCode == 0, "\(rest)")
        #expect(try await effects(workplace, "c") == ["one", "other", "two"])
    }

    /// Guarantee: what cannot be retried is refused before anything is touched, with what to do instead.
    @Test func retryIsRefused() async throws {
        let workplace = try await filePlace()
        let none = try await retry(workplace, "01J")
        #expect(none.exitCode == 4)
        #expect(none.error?.code == "unknown_name")
        #expect(!workplace.exists("ledger.db"))
        let run = try #require(try await workplace.apply().run?.id)
        #expect(try await retry(workplace, "01J").error?.code == "unknown_name")

        let manifest = try workplace.read("deploy.json5")
        try workplace.write("deploy.json5", manifest.replacing("id: \"two\"", with: "id: \"two\", key: \"2\""))
        let gone = try await retry(workplace, run)
        #expect(gone.exitCode == 4)
        #expect(gone.error?.message.contains("two@1") == true, "\(String(describing: gone.error))")

        try workplace.write("deploy.json5", manifest)
        let ledger = SQLiteFile(path: workplace.folder.appending(path: "ledger.db"))
        try await ledger.sql(
            "UPDATE muster_executions SET state = 'unknown' WHERE tenant = 'b' AND runbook = 'one';")
        let unknown = try await retry(workplace, run)
        #expect(unknown.exitCode == 5)
        #expect(unknown.error?.message.contains("muster resolve one@1 --tenant b") == true, "\(unknown)")
        try await ledger.sql(
            "UPDATE muster_executions SET state = 'failed', clean = 1 WHERE tenant = 'b' AND runbook = 'one';")
        try await ledger.sql("UPDATE muster_runs SET status = 'running', outcome = NULL;")
        let open = try await retry(workplace, run)
        #expect(open.exitCode == 4)
        #expect(open.error?.message.contains("still open") == true)
        #expect(try await effects(workplace, "b") == ["other"])
    }

    /// Guarantee: on PostgreSQL, where the ledger's rows are the receipts, the same; and eight retries at once are one.
    @Test(.needsPostgres) func retriesAtOnceAreOne() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql(
                "CREATE TABLE public.witness (tenant name, what text);\nCREATE SCHEMA quiet;\n"
                    + (1...9).map { "CREATE SCHEMA t\($0);" }.joined(separator: "\n")
                    + "CREATE TABLE t3.obstacle (); CREATE TABLE t7.obstacle ();")
            try workplace.write(
                "one.sql",
                "INSERT INTO public.witness VALUES (current_schema(), 'one');\nCREATE TABLE obstacle ();\n")
            for name in ["two", "other"] {
                try workplace.write(
                    "\(name).sql", "INSERT INTO public.witness VALUES (current_schema(), '\(name)');\n")
            }
            try workplace.write(
                "deploy.json5",
                Self.manifest(
                    "${DATABASE_URL}",
                    "query: \"SELECT nspname AS id, nspname AS schema FROM pg_namespace WHERE nspname ~ '^t[0-9]'\", "
                        + "target: { schema: \"{schema}\" }"))
            let first = try await workplace.apply()
            #expect(first.exitCode == 3)
            let run = try #require(first.run?.id)
            try await database.psql("DROP TABLE t3.obstacle; DROP TABLE t7.obstacle;")

            let commands = try (0..<8).map { _ in
                try workplace.muster("retry", run, "-f", "deploy.json5", "--format", "json").start()
            }
            for command in commands {
                let ending = try await command.ending(within: .seconds(120))
                #expect(ending.code == 0, "\(ending)")
            }
            #expect(try await database.lines("SELECT count(*) FROM muster.runs") == ["2"])
            #expect(
                try await database.lines(
                    "SELECT what, count(*), count(DISTINCT tenant) FROM public.witness GROUP BY 1 ORDER BY 1")
                    == ["one|9|9", "other|9|9", "two|9|9"])
            #expect(try await workplace.apply().nothingToDo)
        }
    }

    /// Guarantee: a retry that comes while another one has a program under way joins it, and takes it for no work whose end
    /// nobody saw.
    @Test(.needsPostgres) func aRetryJoinsOneThatIsUnderWay() async throws {
        try await PostgresDatabase.with { database in
            let workplace = try Workplace(environment: ["DATABASE_URL": database.url])
            try await database.psql("CREATE SCHEMA t1; CREATE TABLE t1.obstacle ();")
            try workplace.write("one.sql", "CREATE TABLE obstacle ();\n")
            for name in ["two", "other"] { try workplace.write("\(name).sql", "SELECT 1;\n") }
            let manifest = Self.manifest(
                "${DATABASE_URL}",
                "query: \"SELECT nspname AS id, nspname AS schema FROM pg_namespace WHERE nspname ~ '^t[0-9]'\", "
                    + "target: { schema: \"{schema}\" }")
            try workplace.write("deploy.json5", manifest.replacing("[\"true\"]", with: "[\"sleep\", \"4\"]"))
            let first = try await workplace.apply()
            #expect(first.exitCode == 1)
            let run = try #require(first.run?.id)
            try await database.psql("DROP TABLE t1.obstacle;")

            let retry = try workplace.muster("retry", run, "-f", "deploy.json5", "--format", "json").start()
            let underWay = "SELECT count(*) FROM muster.executions WHERE runbook = 'once' AND state = 'running'"
            while try await database.lines(underWay) != ["1"] { try await Task.sleep(for: .milliseconds(20)) }
            let other = try workplace.muster("retry", run, "-f", "deploy.json5", "--format", "json").start()

            for command in [retry, other] {
                let ending = try await command.ending(within: .seconds(60))
                #expect(ending.code == 0, "\(ending)")
            }
            #expect(try await database.lines("SELECT count(*) FROM muster.runs") == ["2"])
        }
    }
}
