import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// Claims and records as plain statements, in a tenant's own database: they pass where a full claim finds nothing on
/// record, and end the message in every other case.
@Suite(.needsPostgres) struct BriefClaimTests {
    private typealias Bench = PostgresClaimTests.Bench

    private static let script = "INSERT INTO public.effects VALUES ('t')"

    /// Guarantee 1: the receipt is the one that a full record leaves, but for its times.
    @Test func receiptsAreTheSame() async throws {
        try await Bench.with(false) { bench async throws in
            var rows: [[String]] = []
            for isBrief in [true, false] {
                try bench.ledger.change("delete from {}receipts")
                try bench.session.run(
                    bench.receipts.message(around: Self.script, for: bench.ticket(), isBrief: isBrief))
                let row = """
                    select to_jsonb(r) - 'started_at' - 'finished_at',
                        r.started_at between now() - interval '1 minute' and r.finished_at from {}receipts r
                    """
                rows += try bench.ledger.values(row).map { $0.map { $0.text ?? "\($0.boolean ?? false)" } }
            }
            #expect(rows.count == 2)
            #expect(rows.first == rows.last)
            #expect(rows.first?.last == "true")
        }
    }

    /// Guarantees 2, 5 and 8: whatever is on record of it is left to the full claim, and so nothing is run.
    @Test func whatIsOnRecordIsUnclear() async throws {
        try await Bench.with(false) { bench async throws in
            for state in ExecutionState.allCases {
                for (checksum, fence) in [(Sample.checksum, 0), ("sha256:other", 0), (Sample.checksum, 1 << 40)] {
                    try bench.ledger.change("delete from {}receipts")
                    try bench.record(state.rawValue, checksum: checksum, fence: fence)
                    for mayRepeat in [true, false] {
                        let message = try bench.receipts.message(
                            around: Self.script, for: bench.ticket(mayRepeat: mayRepeat), isBrief: true)
                        #expect(
                            try bench.session.briefRefusal(of: message) == PostgresReceipts.unclear,
                            "\(state) \(checksum) \(fence)")
                    }
                }
            }
            #expect(try bench.effects() == 0)
        }
    }

    /// Guarantee 4: where the tenant's receipts are not what the ledger means, the full claim finds out what is missing.
    @Test(
        arguments: [
            // What is on record as (tenant, runbook, key, state), what the ledger means, whether it is the tenant's own.
            ([("t", "a", "1", "succeeded")], [Identity(runbook: "a", key: "1")], true, true),
            (
                [("t", "a", "1", "baselined"), ("t", "b", "x y", "succeeded")],
                [Identity(runbook: "b", key: "x y"), Identity(runbook: "a", key: "1")], true, true
            ),
            ([("t", "b", #"x "\{,}y"#, "succeeded")], [Identity(runbook: "b", key: #"x "\{,}y"#)], true, true),
            ([("t", "a", "1", "succeeded")], [], true, true),
            ([("t", "a", "1", "succeeded")], [Identity(runbook: "a", key: "2")], true, false),
            ([("t", "a", "1", "failed")], [Identity(runbook: "a", key: "1")], true, false),
            ([], [Identity(runbook: "a", key: "1")], true, false),
            ([], [Identity(runbook: "a", key: "1")], false, false),
            ([("other", "a", "1", "succeeded")], [], true, false),
            ([("other", "a", "1", "succeeded")], [Identity(runbook: "a", key: "1")], true, false),
        ] as [([(String, String, String, String)], [Identity], Bool, Bool)])
    func receiptsAreCompared(
        _ given: (found: [(String, String, String, String)], proven: [Identity], holdsOneTenant: Bool, passes: Bool)
    ) async throws {
        try await Bench.with(false) { bench async throws in
            for (tenant, runbook, key, state) in given.found {
                try bench.ledger.change(
                    """
                    insert into {}receipts (workspace, holder, tenant, runbook, key, state, attempt, fence, checksum)
                    values ('default', '', '\(tenant)', '\(runbook)', '\(key)', '\(state)', 1, 0, 'sha256:a')
                    """)
            }
            let ticket = Sample.ticket(
                bench.job, run: bench.run, holdsOneTenant: given.holdsOneTenant, proven: given.proven)
            let brief = try bench.receipts.message(around: Self.script, for: ticket, isBrief: true)
            #expect(try bench.session.briefRefusal(of: brief) == (given.passes ? nil : PostgresReceipts.unclear))
            #expect(try bench.effects() == (given.passes ? 1 : 0))
            if !given.passes {
                let full = try bench.session.refusal(of: bench.receipts.message(around: Self.script, for: ticket))
                #expect([.missingReceipts, .foreignReceipt].contains(full))
            }
        }
    }

    /// Guarantee: a lock that anybody holds makes the claim busy, and it waits for none of them.
    @Test func heldLocksAreBusy() async throws {
        try await Bench.with(false) { bench async throws in
            let other = try bench.place.session()
            defer { other.close() }
            let ticket = bench.ticket()
            let message = try bench.receipts.message(around: Self.script, for: ticket, isBrief: true)
            for (lock, key) in [
                ("pg_advisory_lock", ticket.tenantKey), ("pg_advisory_lock_shared", ticket.tenantKey),
                ("pg_advisory_lock", ticket.workspaceKey), ("pg_advisory_lock", ticket.gateKey),
            ] {
                try other.run("SELECT \(lock)(\(key))")
                #expect(try bench.session.briefRefusal(of: message) == ClaimState.busy.rawValue, "\(lock) \(key)")
                try other.run("SELECT pg_advisory_unlock_all()")
            }
            #expect(try bench.effects() == 0)
            try other.run("SELECT pg_advisory_lock_shared(\(ticket.workspaceKey))")
            #expect(try bench.session.briefRefusal(of: message) == nil)
        }
    }

    /// Guarantee 1: a script that ends its transaction, or takes the marker away, gets no receipt.
    @Test(arguments: [
        "ROLLBACK; BEGIN", "COMMIT", "COMMIT; BEGIN", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "RESET ALL",
        "ABORT; START TRANSACTION", "END", "SELECT set_config('muster.claim', 'mine', true)",
        "SELECT set_config('muster.claim', '', true)",
    ])
    func scriptThatLeavesItsTransactionHasNoReceipt(_ script: String) async throws {
        try await Bench.with(false) { bench async throws in
            let message = try bench.receipts.message(
                around: "\(Self.script); \(script)", for: bench.ticket(), isBrief: true)
            let refusal = try bench.session.briefRefusal(of: message, isRecord: true)
            #expect(refusal == ClaimState.leftTransaction.rawValue)
            #expect(try bench.state() == nil)
        }
    }

    /// Guarantee 1: what came between claim and record in spite of the lock is found by the receipt's key.
    @Test func aReceiptOfAnothersIsNotReplaced() async throws {
        try await Bench.with(false) { bench async throws in
            let theirs = """
                INSERT INTO \(bench.ledger.sql.name("receipts"))
                    (workspace, holder, tenant, runbook, key, state, attempt, fence, checksum)
                VALUES ('default', 't', 't', 'r', '1', 'failed', 1, 0, 'sha256:a')
                """
            let message = try bench.receipts.message(
                around: "\(Self.script); \(theirs)", for: bench.ticket(), isBrief: true)
            #expect(try bench.session.briefRefusal(of: message, isRecord: true) == PostgresReceipts.unclear)
            #expect(try bench.effects() == 0)
            #expect(try bench.state() == nil)
        }
    }

    /// Guarantee 4: a claim that began before another runner's commit, and got the locks after it, sees that commit.
    @Test(arguments: PostgresClaimTests.isolations)
    func commitDuringTheClaimIsSeen(_ isolation: String) async throws {
        try await Bench.with(false) { bench async throws in
            let database = try bench.session.text("SELECT current_database()") ?? ""
            try bench.session.run("ALTER DATABASE \(database) SET default_transaction_isolation = '\(isolation)'")
            // The statement that takes the locks has begun, and has its snapshot, when it waits for a key of the test's.
            let late = try bench.receipts.message(around: Self.script, for: bench.ticket(), isBrief: true)
                .replacing("SELECT CASE WHEN", with: "SELECT pg_advisory_xact_lock(42), CASE WHEN", maxReplacements: 1)
            let first = try bench.receipts.message(around: Self.script, for: bench.ticket(), isBrief: true)
            let place = bench.place
            let refusals = try await Threads.run(2) { index in
                let session = try place.session()
                defer { session.close() }
                let locks = """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """
                if index == 0 {
                    try Threads.wait { try session.integer("\(locks) AND granted") == 1 }
                    return try session.briefRefusal(of: late)
                }
                try session.run("SELECT pg_advisory_lock(42)")
                try Threads.wait { try session.integer("\(locks) AND NOT granted") == 1 }
                let refusal = try session.briefRefusal(of: first)
                try session.run("SELECT pg_advisory_unlock(42)")
                return refusal
            }
            #expect(refusals == [PostgresReceipts.unclear, nil])
            #expect(try bench.effects() == 1)
        }
    }

    /// Guarantee 1: runners that come at once have one effect per tenant, brief or full.
    @Test func rivalsHaveOneEffect() async throws {
        try await LedgerPlace.withLedger(.postgresql) { ledger, place in
            try ledger.session.run("CREATE TABLE public.effects (tenant text)")
            let tenants = Sample.names(24)
            _ = try await Threads.run(4) { index in
                let ledger = try place.open()
                defer { ledger.session.close() }
                let receipts = PostgresReceipts(sql: ledger.sql, isLocal: false)
                try receipts.ensureTable(in: ledger.session)
                guard let run = try ledger.begin(tenants, identity: "sha256:\(index)", runner: "runner-\(index)")
                else { return }
                var jobs = try ledger.claimJobs(run: run, runner: "runner-\(index)", limit: 100)
                while let job = jobs.first {
                    let script = "INSERT INTO public.effects VALUES ('\(job.tenant)')"
                    let ticket = Sample.ticket(job, run: run, runner: "runner-\(index)", token: "\(index)")
                    let message = try receipts.message(around: script, for: ticket, isBrief: index < 2)
                    switch try ledger.session.briefRefusal(of: message) {
                    case ClaimState.busy.rawValue: jobs.append(jobs.removeFirst())
                    case nil, PostgresReceipts.unclear, ClaimState.done.rawValue: jobs.removeFirst()
                    case let state?: throw DatabaseError(.misuse, "unexpected \(state)")
                    }
                }
            }
            #expect(try ledger.session.integer("SELECT count(*) FROM public.effects") == 24)
            #expect(try ledger.session.integer("SELECT count(DISTINCT tenant) FROM public.effects") == 24)
        }
    }

    /// Guarantee: what a message has answered is known a tenth of a second later at most, if another claim follows.
    @Test(arguments: [true, false]) func aLateMessageIsToldSoFar(_ isFirst: Bool) async throws {
        try await Bench.with(false) { bench async throws in
            let slow = "\(Self.script); SELECT pg_sleep(0.3)"
            let text =
                try
                (bench.receipts.message(around: slow, for: bench.ticket(), isBrief: true)
                + bench.receipts.message(
                    around: slow, for: bench.ticket(Sample.runbook("s")), isBrief: true, isFirst: isFirst))
            let began = ContinuousClock.now
            var commits: [Duration] = []
            try bench.session.run(text, as: nil) { _, result in
                if result.tag == "COMMIT" { commits.append(began.duration(to: .now)) }
            }
            #expect(commits.count == 2)
            #expect(commits.first.map { $0 < .milliseconds(550) } == !isFirst)
            #expect(try bench.effects() == 2)
        }
    }
}
