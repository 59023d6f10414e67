import Foundation
import TestSupport
import Testing

/// `muster rollback` on every kind of tenant and of work, through the built program.
@Suite(.needsPostgres) struct RollbackTests {
    typealias Layout = RollbackBench.Layout
    private typealias Bench = RollbackBench

    private func with(
        _ layout: Layout, _ runbooks: String, scripts: [String: String], top: String = "",
        body: (Bench) async throws -> Void
    ) async throws {
        try await RollbackBench.with(layout, runbooks, scripts: scripts, top: top, body: body)
    }

    private static let scripts = [
        "mark.sql": "UPDATE notes SET note = note || '!';\n",
        "unmark.sql": "UPDATE notes SET note = substr(note, 1, length(note) - 1);\n",
        "double.sql": "UPDATE notes SET id = id * 2;\n", "halve.sql": "UPDATE notes SET id = id / 2;\n",
    ]
    private static let two = """
        { id: "mark", sql: "mark.sql", rollback: "unmark.sql" },
        { id: "double", sql: "double.sql", after: ["mark"], rollback: { sql: "halve.sql" } }
        """

    /// Guarantee: undone is as before, on every kind of tenant; it may be done and undone again, and what another run
    /// did stays.
    @Test(arguments: Layout.allCases) func doneAndUndoneAgain(_ layout: Layout) async throws {
        try await with(layout, Self.two, scripts: Self.scripts) { bench in
            let tenants = layout == .databases ? 2 : 3
            let before = try await bench.contents()
            let first = try #require(try await bench.workplace.apply("--runbook", "mark").run?.id)
            let between = try await bench.contents()
            let second = try #require(try await bench.workplace.apply().run?.id)
            let after = try await bench.contents()
            #expect(before != between && between != after)

            // The first run's work is under the second's.
            let refused = try await bench.rollback("--run", first)
            #expect(refused.exitCode == 4 && refused.error?.code == "rollback")
            #expect(refused.error?.message.contains("double") == true)
            #expect(try await bench.contents() == after)

            let taken = try await bench.rollback("--run", second)
            #expect(taken.exitCode == 0, "\(taken.failures) \(String(describing: taken.error))")
            #expect(taken.counts.succeeded == tenants)
            #expect(try await bench.contents() == between)
            #expect(try await bench.states() == ["double rolled_back \(tenants)", "mark succeeded \(tenants)"])
            #expect(try await bench.muster("check", "double", "--all-tenants").code == 1)
            #expect(try await bench.muster("check", "mark", "--all-tenants").code == 0)

            let one = try await bench.rollback("mark", "double", "--tenant", "t1")
            #expect(one.exitCode == 0 && one.counts.succeeded == 1, "\(one.counts)")
            #expect(try await bench.rollback("--run", first).counts.succeeded == tenants - 1)
            #expect(try await bench.contents() == before)
            #expect(try await bench.rollback("mark", "double").nothingToDo)

            #expect(try await bench.workplace.apply().counts.succeeded == tenants)
            #expect(try await bench.contents() == after)
            #expect(try await bench.rollback("double", "mark").counts.succeeded == tenants)
            #expect(try await bench.contents() == before)
            #expect(try await bench.muster("plan", "--exit-code").code != 0)
        }
    }

    /// Guarantee: where a tenant's share of a stage is one transaction, so is its undo: all or nothing.
    @Test(arguments: [Layout.schemas, .files]) func fusedStages(_ layout: Layout) async throws {
        try await with(layout, Self.two, scripts: Self.scripts, top: ", defaults: { fuse: true }") { bench in
            let before = try await bench.contents()
            #expect(try await bench.workplace.apply().exitCode == 0)
            let after = try await bench.contents()
            try bench.workplace.write("unmark.sql", "SELECT nonsense FROM nowhere;\n")
            #expect(try await bench.rollback("mark", "double").exitCode == 1)
            #expect(try await bench.contents() == after)
            #expect(try await bench.states() == ["double succeeded 3", "mark succeeded 3"])
            try bench.workplace.write("unmark.sql", Self.scripts["unmark.sql"] ?? "")
            #expect(try await bench.rollback("mark", "double").exitCode == 0)
            #expect(try await bench.contents() == before)
        }
    }

    /// Guarantee: an undo that fails leaves the tenant as it was, and what it undoes done.
    @Test(arguments: Layout.allCases) func failedUndoLeavesItDone(_ layout: Layout) async throws {
        let scripts = Self.scripts.merging(["halve.sql": "UPDATE notes SET id = 7;\nSELECT nonsense FROM nowhere;\n"]) {
            $1
        }
        try await with(layout, Self.two, scripts: scripts) { bench in
            let tenants = layout == .databases ? 2 : 3
            #expect(try await bench.workplace.apply().exitCode == 0)
            let after = try await bench.contents()
            let report = try await bench.rollback("mark", "double")
            #expect(report.exitCode == 1 && report.counts.failed == tenants, "\(report)")
            #expect(report.failures.first?.runbook == "double" && report.failures.first?.file == "halve.sql")
            #expect(report.failures.first?.line == 2)
            #expect(try await bench.contents() == after)
            #expect(try await bench.states() == ["double succeeded \(tenants)", "mark succeeded \(tenants)"])
            #expect(try await bench.workplace.apply().nothingToDo)
            try bench.workplace.write("halve.sql", Self.scripts["halve.sql"] ?? "")
            #expect(try await bench.rollback("mark", "double").exitCode == 0)
        }
    }

    /// Guarantee: what must not be undone is refused before anything is touched, and named.
    @Test func refusalsTouchNothing() async throws {
        let runbooks = Self.two + ", { id: \"forward\", sql: \"forward.sql\" }"
        let scripts = Self.scripts.merging(["forward.sql": "CREATE TABLE forward (x int);\n"]) { $1 }
        try await with(.schemas, runbooks, scripts: scripts) { bench in
            let applied = try await bench.workplace.apply()
            let run = try #require(applied.run?.id)
            let after = try await bench.contents()
            for (arguments, word) in [
                (["forward"], "forward@1"), (["--run", run], "forward@1"), (["mark"], "double"),
                (["nothing"], "nothing"),
                (["--run", "01NOPE"], "01NOPE"),
            ] {
                let ending = try await bench.workplace.muster(
                    ["rollback"] + arguments + ["-f", "deploy.json5", "--yes", "--format", "json"]
                ).run()
                let report = try PrintedReport(ending)
                #expect(ending.code == 4 && report.exitCode == 4, "\(arguments)")
                #expect(report.error?.message.contains(word) == true, "\(String(describing: report.error))")
            }
            // Without a terminal nobody can be asked.
            #expect(try await bench.muster("rollback", "double").code == 64)
            let view = try await bench.muster("rollback", "double", "--dry-run")
            #expect(view.code == 0 && view.output.contains("muster.rollback_plan/1"))
            // A changed body: the undo may not fit.
            try bench.workplace.write("double.sql", "UPDATE notes SET id = id * 2 + 0;\n")
            let drifted = try await bench.rollback("double")
            #expect(drifted.exitCode == 4 && drifted.error?.code == "drift")
            #expect(try await bench.contents() == after)
            #expect(try await bench.states().allSatisfy { $0.contains(" succeeded 3") })
        }
    }

    /// Guarantee: what a person declared done is undone only when that is said.
    @Test func declaredWorkIsRefused() async throws {
        try await with(.schemas, Self.two, scripts: Self.scripts) { bench in
            let ending = try await bench.workplace.muster(
                "ledger", "baseline", "-f", "deploy.json5", "--tenant", "t1", "--runbook", "mark", "--reason",
                "by hand",
                "--yes"
            ).run()
            #expect(ending.code == 0, "\(ending)")
            #expect(try await bench.workplace.apply("--runbook", "mark").counts.succeeded == 2)
            let refused = try await bench.rollback("mark")
            #expect(refused.exitCode == 4 && refused.error?.message.contains("declared done on 1 tenant") == true)
            #expect(try await bench.rollback("mark", "--skip-tenant", "t1").counts.succeeded == 2)
            #expect(try await bench.rollback("mark", "--include-baselined").counts.succeeded == 1)
            #expect(try await bench.states() == ["mark rolled_back 3"])
        }
    }

    /// Guarantee: programs and scripts that cannot be transactional are undone by what their manifest declares; a program
    /// knows that it is to undo. One that says "try again" leaves the work done, one that fails leaves it open.
    @Test(arguments: [Layout.schemas, .databases, .files]) func hooksAndDirectScripts(_ layout: Layout) async throws {
        let runbooks = """
            { id: "call", exec: ["./call"], rollback: { exec: ["./call"], timeout: "10s" } },
            { id: "index", after: ["call"], transaction: false, sql: "index.sql",
              rollback: { sql: "unindex.sql", transaction: false } }
            """
        let scripts = [
            "call": """
            #!/bin/sh
            if [ "$MUSTER_ROLLBACK" = 1 ] && [ -e stop ]; then exit "$(cat stop)"; fi
            echo "$MUSTER_TENANT $MUSTER_ROLLBACK $MUSTER_IDEMPOTENCY_KEY" >> calls

            """,
            "index.sql": layout == .files
                ? "CREATE INDEX notes_id ON notes (id);\n"
                : "CREATE INDEX CONCURRENTLY notes_id ON notes (id);\n",
            "unindex.sql": layout == .files ? "DROP INDEX notes_id;\n" : "DROP INDEX CONCURRENTLY notes_id;\n",
        ]
        try await with(layout, runbooks, scripts: scripts) { bench in
            let tenants = layout == .databases ? 2 : 3
            let before = try await bench.contents()
            #expect(try await bench.workplace.apply().exitCode == 0)
            #expect(try await bench.contents() != before)

            try bench.workplace.write("stop", "75")
            let later = try await bench.rollback("index", "call", "--lock-wait", "1s")
            #expect(later.exitCode == 75, "\(later)")
            #expect(try await bench.states() == ["call succeeded \(tenants)", "index rolled_back \(tenants)"])
            #expect(try await bench.contents() == before)

            try bench.workplace.write("stop", "1")
            let failed = try await bench.rollback("index", "call")
            #expect(failed.exitCode != 0 && failed.counts.failed == tenants, "\(failed.counts)")
            #expect(try await bench.states() == ["call failed \(tenants)", "index rolled_back \(tenants)"])
            // Neither done nor undone: an apply leaves it to a person.
            #expect(try await bench.workplace.apply().exitCode == 5)

            try bench.workplace.remove("stop")
            let report = try await bench.rollback("index", "call")
            #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            #expect(try await bench.states() == ["call rolled_back \(tenants)", "index rolled_back \(tenants)"])
            let calls = try bench.workplace.read("calls").split(separator: "\n")
            #expect(calls.filter { $0.hasSuffix(" 1 default/t1/call@1/rollback") }.count == 1)
            #expect(calls.filter { $0.hasSuffix(" 0 default/t1/call@1") }.count == 1)
        }
    }

    /// Guarantee: a backfill is undone, also a half done one, and begins from the start when it is done again.
    @Test(arguments: [Layout.schemas, .files]) func backfills(_ layout: Layout) async throws {
        let isFile = layout == .files
        let fill = """
            UPDATE notes SET note = note || '!' WHERE id IN (
                SELECT id FROM notes WHERE note NOT LIKE '%!' AND id < \(isFile ? "(SELECT n FROM stop)" : "100")
                LIMIT :limit)
            """
        try await with(
            layout,
            "{ id: \"fill\", batch: { sql: \"fill.sql\", size: 1 }, rollback: \"unfill.sql\", retries: 0 }",
            scripts: ["fill.sql": fill, "unfill.sql": "UPDATE notes SET note = replace(note, '!', '');\n"]
        ) { bench in
            if isFile {
                for i in 1...3 {
                    try await SQLiteFile(path: bench.workplace.folder.appending(path: "tenants/t\(i).db"))
                        .sql("CREATE TABLE stop AS SELECT 100 AS n")
                }
            }
            let before = try await bench.contents()
            #expect(try await bench.workplace.apply().exitCode == 0)
            let after = try await bench.contents()
            let report = try await bench.rollback("fill")
            #expect(report.exitCode == 0, "\(report.failures)")
            #expect(try await bench.contents() == before)
            #expect(try await bench.workplace.apply().exitCode == 0)
            #expect(try await bench.contents() == after)
        }
    }

    /// Guarantee: what runs once is undone once, after all that stands after it, and stays while a tenant needs it.
    @Test func workspaceRunbooks() async throws {
        let runbooks = """
            { id: "once", scope: "workspace", sql: "once.sql", rollback: "unonce.sql" },
            { id: "mark", after: ["once"], sql: "mark.sql", rollback: "unmark.sql" }
            """
        let scripts = Self.scripts.merging(
            [
                "once.sql": "CREATE TABLE public.shared (x int);\n", "unonce.sql": "DROP TABLE public.shared;\n",
                "mark.sql": "UPDATE notes SET note = note || (SELECT count(*) FROM public.shared);\n",
                "unmark.sql": "UPDATE notes SET note = left(note, -1) FROM (SELECT count(*) FROM public.shared) s;\n",
            ]) { $1 }
        try await with(.schemas, runbooks, scripts: scripts) { bench in
            let before = try await bench.contents()
            let run = try #require(try await bench.workplace.apply().run?.id)
            #expect(try await bench.rollback("once").error?.message.contains("mark") == true)
            #expect(try await bench.rollback("once", "--tenant", "t1").exitCode == 4)
            // One tenant alone: what all of them share stays.
            #expect(try await bench.rollback("--run", run, "--tenant", "t1").counts.succeeded == 1)
            #expect(try await bench.states() == ["mark rolled_back 1", "mark succeeded 2", "once succeeded 1"])
            #expect(try await bench.rollback("once").exitCode == 4)
            let report = try await bench.rollback("--run", run)
            #expect(report.exitCode == 0, "\(report.failures) \(String(describing: report.error))")
            #expect(try await bench.contents() == before)
            #expect(try await bench.states() == ["mark rolled_back 3", "once rolled_back 1"])
            #expect(try await bench.workplace.apply().exitCode == 0)
        }
    }

    /// Guarantee: an older manifest over a newer ledger runs nothing again, ends with 0, and says what it does not list.
    @Test(arguments: [Layout.schemas, .files]) func olderManifest(_ layout: Layout) async throws {
        try await with(layout, Self.two, scripts: Self.scripts) { bench in
            #expect(try await bench.workplace.apply().exitCode == 0)
            let after = try await bench.contents()
            let newer = try bench.workplace.read("deploy.json5")
            let cut = try #require(newer.range(of: "{ id: \"double\""))
            try bench.workplace.write("deploy.json5", newer[..<cut.lowerBound] + "] }\n")

            let ending = try await bench.muster("apply")
            let report = try PrintedReport(ending)
            #expect(report.exitCode == 0 && report.nothingToDo)
            #expect(report.notices.contains { $0.contains("1 identity that this manifest does not list (double@1)") })
            #expect(ending.output.contains("\"unlisted\": [\"double@1\"]") || ending.output.contains("\"double@1\""))
            #expect(try await bench.contents() == after)
            try bench.workplace.write("deploy.json5", newer)
            #expect(try await bench.workplace.apply().notices.isEmpty)
        }
    }

    /// Guarantee: where a tenant was restored from a backup, nothing is undone in it by what the ledger remembers.
    @Test func restoredTenantIsNotUndone() async throws {
        try await with(.files, Self.two, scripts: Self.scripts) { bench in
            let file = bench.workplace.folder.appending(path: "tenants/t2.db")
            let copy = bench.workplace.folder.appending(path: "copy.db")
            try FileManager.default.copyItem(at: file, to: copy)
            #expect(try await bench.workplace.apply().exitCode == 0)
            try FileManager.default.removeItem(at: file)
            try FileManager.default.copyItem(at: copy, to: file)
            let held = try await SQLiteFile(path: file).sql("SELECT * FROM notes")
            let report = try await bench.rollback("mark", "double")
            #expect(report.exitCode == 4 && report.counts.succeeded == 2, "\(report.counts)")
            #expect(report.failures.map(\.tenant) == ["t2"])
            #expect(try await SQLiteFile(path: file).sql("SELECT * FROM notes") == held)
        }
    }
}
