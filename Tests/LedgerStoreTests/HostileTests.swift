import DatabaseAccess
import LedgerStore
import RunbookModel
import SQLiteAccess
import TestSupport
import Testing

/// Names and databases that mean harm.
@Suite struct HostileTests {
    private static let names = [
        "it's", "a\"b", "$muster$", "$$", "back\\slash", "\\'", "new\nline", "tab\tand space ", "ü ñ 🐘 e\u{301}",
        "'; drop schema muster cascade; --", "{s}", "{\"a\":1}", "%", "$1 ?1", "NULL", "a,b}", "e\u{301}'\u{301}",
        "\u{7f}\u{1}", "null", "{}", "[]", "null, 1], [\"x\"",
    ]

    /// Guarantee: a name is a name, through lists, JSON, claims, records, receipts and answers.
    @Test(arguments: Engine.all) func namesAreNames(_ engine: Engine) async throws {
        try await LedgerPlace.with(engine) { place in
            for workspace in ["default", "it's \\ \"w\" $muster$"] {
                let ledger = try place.open(workspace: workspace)
                defer { ledger.session.close() }
                let runbooks = Self.names.prefix(4).map {
                    Sample.runbook($0, key: "k\($0)", checksum: "sha256:\(workspace.count)")
                }
                let tenants = Self.names.map { Tenant(id: $0, labels: [$0: $0]) }
                try ledger.remember(tenants: tenants, runbooks: runbooks)
                #expect(Set(try ledger.lastSeen().tenants) == Set(Self.names))
                let run = try #require(
                    try ledger.begin(Self.names, runbooks, identity: "sha256:'\(workspace)", runner: "a'\(workspace)"))
                let jobs = try ledger.claimJobs(run: run, runner: "a'\(workspace)", limit: 100)
                #expect(jobs.map(\.tenant) == Self.names)
                if engine == .postgresql { try apply(runbooks, jobs, run, in: ledger) }
                let results = jobs.map { job in
                    Sample.result(job, .succeeded, runbooks.map { Sample.outcome(.succeeded, $0) })
                }
                #expect(try ledger.write(results, run: run, runner: "a'\(workspace)") == jobs.count)
                #expect(try ledger.countUnsettled(in: Sample.scope(Self.names, runbooks)) == 0)
                var seen: [Int] = []
                try ledger.forEachUnsettled(in: Sample.scope(Self.names + ["x"], runbooks)) { index, _ in
                    seen.append(index)
                }
                #expect(seen == [Self.names.count])
                let done = try ledger.values(
                    "select distinct tenant from {}completed where workspace = $1", [.text(workspace)])
                #expect(Set(done.compactMap { $0[0].text }) == Set(Self.names))
                #expect(try ledger.recorded(tenant: Self.names[0], identities: runbooks.map(\.identity)).count == 4)
                #expect(try ledger.completeRun(run))
            }
        }
    }

    private func apply(_ runbooks: [Runbook], _ jobs: [ClaimedJob], _ run: String, in ledger: Ledger) throws {
        for isLocal in [true, false] {
            let receipts = PostgresReceipts(sql: ledger.sql, isLocal: isLocal)
            try receipts.ensureTable(in: ledger.session)
            for job in jobs {
                for (index, runbook) in runbooks.enumerated() {
                    let ticket = Sample.ticket(
                        job, run: run, runner: "a'\(ledger.workspace)", runbook: runbook, workspace: ledger.workspace,
                        token: "$muster$ '\\")
                    let message = try receipts.message(around: "SELECT 1", for: ticket)
                    #expect(try ledger.session.refusal(of: message) == nil)
                    #expect(try ledger.session.refusal(of: message) == (isLocal ? .done : .doneInRun))
                    guard index == 0 else { continue }
                    try ledger.change(
                        "delete from {}\(isLocal ? "executions" : "receipts") where tenant = $1", [.text(job.tenant)])
                    try ledger.session.run("SELECT pg_advisory_lock(\(ticket.tenantKey))")
                    var attempt = 1
                    try ledger.session.run(receipts.begin(ticket), as: nil) { index, result in
                        if index == 2 { attempt = result.firstRow?[0].integer ?? 1 }
                    }
                    try ledger.session.run(receipts.end(ticket, attempt: attempt, state: .succeeded, clean: nil))
                    try ledger.session.run("SELECT pg_advisory_unlock_all()")
                }
            }
            let rows = try ledger.values(
                "select count(*) from {}\(isLocal ? "executions" : "receipts") where workspace = $1 and state = 'succeeded'",
                [.text(ledger.workspace)])
            #expect(rows[0][0].integer == jobs.count * runbooks.count)
        }
    }

    /// Guarantee: the same in a tenant's SQLite file.
    @Test func namesAreNamesInReceipts() async throws {
        try await LedgerPlace.with(.sqlite) { place in
            let session = try place.session()
            defer { session.close() }
            let receipts = SQLiteReceipts(session: session)
            try receipts.ensureTable()
            for (index, name) in Self.names.enumerated() {
                let job = ClaimedJob(tenant: name, stage: 0, attempt: 1, fence: index)
                let ticket = Sample.ticket(job, run: name, runner: name, runbook: Sample.runbook(name, key: name))
                #expect(try receipts.examine(ticket)?.state == nil)
                #expect(try receipts.record(ticket, state: .succeeded, rowsAffected: 1) == 1)
                #expect(try receipts.examine(ticket)?.state == .doneInRun)
            }
            #expect(try session.integer("SELECT count(*) FROM muster_receipts") == Self.names.count)
        }
    }

    /// What a tenant may leave in a schema that stands before everything else in the session's search_path.
    private static let traps = """
        CREATE SCHEMA trap;
        CREATE TABLE trap.fired (what text);
        CREATE FUNCTION trap.lie(text, text) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('text ='); RETURN true; END $$;
        CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.lie);
        CREATE FUNCTION trap.lie(integer, integer) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('int ='); RETURN true; END $$;
        CREATE OPERATOR trap.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = trap.lie);
        CREATE FUNCTION trap.less(timestamptz, timestamptz) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('time <'); RETURN true; END $$;
        CREATE OPERATOR trap.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = trap.less);
        CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('now'); RETURN 'epoch'; END $$;
        CREATE FUNCTION trap.pg_try_advisory_xact_lock(bigint) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('lock'); RETURN true; END $$;
        CREATE FUNCTION trap.pg_backend_pid() RETURNS integer LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('pid'); RETURN 1; END $$;
        CREATE FUNCTION trap.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('setting'); RETURN 'token'; END $$;
        CREATE FUNCTION trap.set_config(text, text, boolean) RETURNS text LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('set_config'); RETURN ''; END $$;
        CREATE FUNCTION trap.count(text) RETURNS bigint LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO trap.fired VALUES ('count'); RETURN 0; END $$;
        CREATE TABLE trap.executions (x integer);
        CREATE TABLE trap.jobs (x integer);
        CREATE TABLE trap.receipts (x integer);
        CREATE TABLE trap.pg_locks (x integer);
        CREATE TABLE trap.pg_database (x integer);
        CREATE DOMAIN trap.jsonb AS text CHECK (false);
        """

    /// Guarantee: nothing in a schema of the search_path answers in the place of what Muster calls.
    @Test(.needsPostgres, arguments: [true, false]) func schemasCannotShadow(_ isLocal: Bool) async throws {
        try await LedgerPlace.with(.postgresql) { place in
            let admin = try place.session()
            defer { admin.close() }
            try admin.run(Self.traps)
            let database = try admin.text("SELECT current_database()") ?? ""
            try admin.run("ALTER DATABASE \(database) SET search_path = trap, pg_catalog, public")
            // They do fire where nothing is done against them.
            try admin.run("SET search_path = trap, pg_catalog; SELECT 'a'::text = 'b'::text, now(); RESET search_path")
            #expect(try admin.integer("SELECT count(*) FROM trap.fired") == 2)
            try admin.run("TRUNCATE trap.fired")

            let ledger = try place.open()
            defer { ledger.session.close() }
            #expect(try ledger.session.text("SHOW search_path") == "trap, pg_catalog, public")
            let tenants = [Tenant(id: "t", labels: ["a": "b"]), Tenant(id: "u")]
            try ledger.remember(tenants: tenants, runbooks: [Sample.runbook("r", match: ["a": ["b"]])])
            let run = try #require(try ledger.begin(["t", "u"]))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 5)
            #expect(jobs.count == 2)
            let receipts = PostgresReceipts(sql: ledger.sql, isLocal: isLocal)
            try receipts.ensureTable(in: ledger.session)
            let ticket = Sample.ticket(jobs[0], run: run)
            let message = try receipts.message(
                around: "SET LOCAL search_path = trap, pg_catalog; SELECT 1", for: ticket)
            #expect(try ledger.session.refusal(of: message) == nil)
            #expect(try ledger.session.refusal(of: message) == (isLocal ? .done : .doneInRun))
            let direct = Sample.ticket(jobs[1], run: run)
            try ledger.session.run("SELECT pg_catalog.pg_advisory_lock(\(direct.tenantKey))")
            try ledger.session.run(receipts.begin(direct))
            try ledger.session.run(receipts.end(direct, attempt: 1, state: .failed, clean: true))
            try ledger.beat("a")
            #expect(try ledger.releaseSilentRunners(of: run) == 0)
            if isLocal {
                try ledger.session.run("DELETE FROM muster.executions")
                let scene = ClaimScene(limits: ("0", "0"), settings: [], target: "trap", path: "trap, pg_catalog")
                let kept = try [
                    receipts.keptClaim([ticket], setting: scene), receipts.nextClaim(ticket, setting: scene),
                ]
                for claim in kept {
                    try ledger.session.run(
                        "BEGIN; \(claim.text) SELECT 1; SET LOCAL search_path = pg_catalog; COMMIT")
                }
                try ledger.session.run("SELECT pg_catalog.pg_advisory_unlock_all()")
            }
            let results = [Sample.result(jobs[0]), Sample.result(jobs[1], .failed)]
            #expect(try ledger.write(results, run: run, runner: "a") == 2)
            try ledger.advanceRun(run, past: 0)
            #expect(try ledger.completeRun(run))
            let reader = try place.read()
            defer { reader.session.close() }
            let scope = Sample.scope(["t", "u"])
            #expect(try reader.countUnsettled(in: scope) == 1)
            #expect(try reader.states(in: scope).byIdentity[0].done == 1)
            #expect(try reader.run(run)?.outcome == .partiallySucceeded)
            #expect(try reader.failures(ofRun: run).count == 1)
            #expect(try reader.lastSeen().tenants == ["t", "u"])
            #expect(try admin.rows("SELECT DISTINCT what FROM trap.fired").map { $0[0].text } == [])
        }
    }
}
