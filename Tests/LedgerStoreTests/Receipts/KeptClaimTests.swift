import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// Claims of several runbooks in one message, whose session keeps the tenant's lock: they pass where nothing is on record
/// and the lock was never let go, and end the message in every other case.
@Suite(.needsPostgres) struct KeptClaimTests {
    private typealias Bench = PostgresClaimTests.Bench

    private static let scene = ClaimScene(limits: ("0", "0"), settings: [], target: nil, path: nil)
    private static let effect = "INSERT INTO public.effects VALUES ('t')"

    /// A message for one and two, with something between their transactions.
    private static func message(
        _ bench: Bench, scripts: [String] = [effect, effect], between: String = ""
    ) throws -> String {
        let tickets = scripts.indices.map { index in
            Sample.ticket(bench.job, run: bench.run, runbook: Sample.runbook("r\(index)"), token: "token-\(index)")
        }
        let blocks = try zip(tickets, scripts).map { ticket, script in
            let claim =
                try ticket.token == tickets[0].token
                ? bench.receipts.keptClaim(tickets, setting: scene)
                : bench.receipts.nextClaim(ticket, setting: scene)
            return """
                BEGIN; \(claim.text) \(script);
                SET CONSTRAINTS ALL IMMEDIATE; SET SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = pg_catalog;
                \(try bench.receipts.record(ticket, isNew: true).text) COMMIT;
                """
        }
        return blocks.joined(separator: "\n\(between);\n") + "\nSELECT pg_catalog.pg_advisory_unlock_all();"
    }

    /// Sends it, gives all locks back, and answers the SQLSTATE of Muster's that it ended with.
    private static func send(_ message: String, _ bench: Bench) throws -> String? {
        let refusal = try bench.session.briefRefusal(of: message)
        try bench.session.run("SELECT pg_catalog.pg_advisory_unlock_all()")
        return refusal
    }

    private static func held(_ bench: Bench) throws -> Int? {
        try bench.session.integer(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
    }

    /// Guarantee 1: the records are those of full claims, but for their times, and no lock is left.
    @Test func recordsAreTheSame() async throws {
        try await Bench.with(true) { bench async throws in
            #expect(try Self.send(Self.message(bench), bench) == nil)
            #expect(try Self.held(bench) == 0)
            let row = """
                select to_jsonb(e) - 'started_at' - 'finished_at' - 'runbook',
                    e.started_at between now() - interval '1 minute' and e.finished_at from {}executions e order by runbook
                """
            let kept = try bench.ledger.values(row)
            try bench.ledger.change("delete from {}executions")
            for index in 0..<2 { #expect(try bench.apply(bench.ticket(Sample.runbook("r\(index)"))) == nil) }
            #expect(try bench.ledger.values(row) == kept)
            #expect(kept.count == 2)
            #expect(try bench.effects() == 4)
        }
    }

    /// Guarantee: between two transactions of a message nobody else gets the tenant's lock.
    @Test func theLockIsKeptBetween() async throws {
        try await Bench.with(true) { bench async throws in
            let kept = try Self.message(bench, between: "SELECT pg_sleep(1)")
            let place = bench.place
            let ticket = bench.ticket(Sample.runbook("r1"))
            let receipts = bench.receipts
            let refusals = try await Threads.run(2) { index in
                let session = try place.session()
                defer { session.close() }
                if index == 0 { return try session.briefRefusal(of: kept) }
                try Threads.wait { try session.integer("SELECT count(*) FROM public.effects") == 1 }
                return try session.briefRefusal(of: receipts.message(around: Self.effect, for: ticket))
            }
            #expect(refusals == [nil, ClaimState.busy.rawValue])
            #expect(try bench.effects() == 2)
        }
    }

    /// Guarantee 4: where a script lets the lock go, the next claim notices, and what follows is left to a full claim.
    @Test(arguments: [
        "SELECT pg_advisory_unlock_all()", "SELECT pg_advisory_unlock(KEY), pg_advisory_unlock(KEY)",
    ])
    func aLockThatWasLetGoIsNoticed(_ script: String) async throws {
        try await Bench.with(true) { bench async throws in
            let letting = "\(Self.effect); \(script.replacing("KEY", with: "\(bench.ticket().tenantKey)"))"
            #expect(
                try Self.send(Self.message(bench, scripts: [letting, Self.effect]), bench) == PostgresReceipts.unclear)
            #expect(try bench.effects() == 1)
            #expect(try Self.held(bench) == 0)
        }
    }

    /// Guarantee: an application's script may take and give back the tenant's lock as often as it likes.
    @Test func theLockMayBeTakenByTheScript() async throws {
        try await Bench.with(true) { bench async throws in
            let key = bench.ticket().tenantKey
            let script = "SELECT pg_advisory_lock(\(key)), pg_advisory_unlock(\(key)); \(Self.effect)"
            #expect(try Self.send(Self.message(bench, scripts: [script, script]), bench) == nil)
            #expect(try bench.effects() == 2)
        }
    }

    /// Guarantees 2, 5 and 8: whatever is on record of any of them is left to the full claim, and so nothing is run.
    @Test(arguments: ["r0", "r1"]) func whatIsOnRecordIsUnclear(_ runbook: String) async throws {
        try await Bench.with(true) { bench async throws in
            for state in ExecutionState.allCases {
                try bench.ledger.change("delete from {}executions")
                try bench.record(state.rawValue, as: runbook)
                #expect(try Self.send(Self.message(bench), bench) == PostgresReceipts.unclear, "\(state)")
            }
            #expect(try bench.effects() == 0)
        }
    }

    /// Guarantee: what is on record of other runbooks, or of another key, stands in nobody's way.
    @Test func othersOnRecordDoNotMatter() async throws {
        try await Bench.with(true) { bench async throws in
            try bench.record("succeeded")
            try bench.record("failed", checksum: "sha256:other", as: "r1", "2")
            #expect(try Self.send(Self.message(bench), bench) == nil)
            #expect(try bench.effects() == 2)
        }
    }

    /// Guarantee 2: what comes on record behind the claim is met by the record, and the work is taken back.
    @Test(arguments: ExecutionState.allCases) func whatComesOnRecordIsMet(_ state: ExecutionState) async throws {
        try await Bench.with(true) { bench async throws in
            let script = """
                \(Self.effect); INSERT INTO \(bench.ledger.sql.name("executions")) (workspace, tenant, runbook, key, state, attempt, checksum)
                VALUES ('default', 't', 'r1', '1', '\(state)', 1, 'sha256:other')
                """
            let error = #expect(throws: DatabaseError.self) {
                try bench.session.run(Self.message(bench, scripts: [Self.effect, script]))
            }
            #expect(error?.sqlState == PostgresReceipts.isThere)
            try bench.session.run("ROLLBACK; SELECT pg_catalog.pg_advisory_unlock_all()")
            #expect(try bench.effects() == 1)
            #expect(try bench.ledger.values("select runbook from {}executions").map { $0[0].text } == ["r0"])
        }
    }

    /// Guarantee 5: the claim is the fence.
    @Test(arguments: PostgresClaimTests.takeovers)
    func supersededJobIsFencedOff(_ change: String) async throws {
        try await Bench.with(true) { bench async throws in
            try bench.ledger.change(change)
            #expect(try Self.send(Self.message(bench), bench) == ClaimState.superseded.rawValue)
            #expect(try bench.effects() == 0)
        }
    }

    /// Guarantee: a lock that anybody holds makes the claim busy, and it waits for none of them.
    @Test func heldLocksAreBusy() async throws {
        try await Bench.with(true) { bench async throws in
            let other = try bench.place.session()
            defer { other.close() }
            let ticket = bench.ticket()
            for (lock, key) in [
                ("pg_advisory_lock", ticket.tenantKey), ("pg_advisory_lock_shared", ticket.tenantKey),
                ("pg_advisory_lock", ticket.workspaceKey), ("pg_advisory_lock", ticket.gateKey),
            ] {
                try other.run("SELECT \(lock)(\(key))")
                #expect(try Self.send(Self.message(bench), bench) == ClaimState.busy.rawValue, "\(lock) \(key)")
                try other.run("SELECT pg_advisory_unlock_all()")
                #expect(try Self.held(bench) == 0)
            }
            #expect(try bench.effects() == 0)
        }
    }

    /// Guarantee 4: what a plain BEGIN begins is looked at, since a database may have its own idea of it.
    @Test(
        arguments: [
            "default_transaction_isolation = 'repeatable read'", "default_transaction_isolation = 'serializable'",
            "default_transaction_read_only = on",
        ])
    func otherDefaultsAreUnclear(_ setting: String) async throws {
        try await Bench.with(true) { bench async throws in
            try bench.session.run("SET \(setting)")
            #expect(try Self.send(Self.message(bench), bench) == PostgresReceipts.unclear)
            try bench.session.run("RESET ALL")
            // The first of two scripts changes it for the second.
            let scripts = ["\(Self.effect); SET \(setting)", Self.effect]
            #expect(try Self.send(Self.message(bench, scripts: scripts), bench) == PostgresReceipts.unclear)
            try bench.session.run("RESET ALL")
            #expect(try bench.effects() == 1)
        }
    }

    /// Guarantee 1: a script that ends its transaction, or takes the marker away, gets no record.
    @Test(
        arguments: [
            "ROLLBACK; BEGIN", "COMMIT", "COMMIT; BEGIN", "COMMIT AND CHAIN", "RESET ALL",
            "SELECT set_config('muster.claim', 'mine', true)",
        ], [0, 1])
    func scriptThatLeavesItsTransactionHasNoRecord(_ script: String, _ place: Int) async throws {
        try await Bench.with(true) { bench async throws in
            var scripts = [Self.effect, Self.effect]
            scripts[place] += "; \(script)"
            let refusal = try Self.send(Self.message(bench, scripts: scripts), bench)
            #expect(refusal == ClaimState.leftTransaction.rawValue)
            #expect(try bench.ledger.value("select count(*) from {}executions")?.integer == place)
        }
    }
}
