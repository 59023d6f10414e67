import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// Claim and record in PostgreSQL: in the ledger's own database, and in a tenant's.
@Suite(.needsPostgres) struct PostgresClaimTests {
    static let isolations = ["read committed", "repeatable read", "serializable"]

    /// Advisory locks of the test's own database.
    private static let locksHere = """
        SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """

    /// One tenant `t` with a claimed job, and receipts where they are.
    struct Bench {
        let ledger: Ledger
        let place: LedgerPlace
        let receipts: PostgresReceipts
        let run: String
        let job: ClaimedJob
        var session: any DatabaseSession { ledger.session }

        static func with(_ isLocal: Bool, _ body: (Bench) async throws -> Void) async throws {
            try await LedgerPlace.withLedger(.postgresql) { ledger, place in
                let receipts = PostgresReceipts(sql: ledger.sql, isLocal: isLocal)
                try receipts.ensureTable(in: ledger.session)
                try ledger.session.run("CREATE TABLE public.effects (tenant text)")
                let run = try #require(try ledger.begin(["t"]))
                let job = try #require(try ledger.claimJobs(run: run, runner: "a", limit: 1).first)
                try await body(Bench(ledger: ledger, place: place, receipts: receipts, run: run, job: job))
            }
        }

        func ticket(
            _ runbook: Runbook = Sample.runbook("r"), mayRepeat: Bool = false, runner: String = "a"
        ) -> ClaimTicket {
            Sample.ticket(job, run: run, runner: runner, runbook: runbook, mayRepeat: mayRepeat)
        }

        func apply(
            _ ticket: ClaimTicket? = nil, script: String = "INSERT INTO public.effects VALUES ('t')"
        ) throws -> ClaimState? {
            try session.refusal(of: receipts.message(around: script, for: ticket ?? self.ticket()))
        }

        /// What is on record of `t`, where the receipt is.
        func record(
            _ state: String, checksum: String = Sample.checksum, fence: Int = 0, as runbook: String = "r",
            _ key: String = "1"
        ) throws {
            if receipts.isLocal {
                try ledger.change(
                    """
                    insert into {}executions (workspace, tenant, runbook, key, state, attempt, checksum)
                    values ('default', 't', '\(runbook)', '\(key)', '\(state)', 1, '\(checksum)')
                    """)
            } else {
                try ledger.change(
                    """
                    insert into {}receipts (workspace, holder, tenant, runbook, key, state, attempt, fence, checksum)
                    values ('default', 't', 't', '\(runbook)', '\(key)', '\(state)', 1, \(fence), '\(checksum)')
                    """)
            }
        }

        func state() throws -> String? {
            try ledger.value("select state from {}\(receipts.isLocal ? "executions" : "receipts")")?.text
        }

        func effects() throws -> Int { try session.integer("SELECT count(*) FROM public.effects") ?? 0 }
    }

    /// Guarantee 4: a claim that began before another runner's commit, and got the lock after it, sees that commit.
    @Test(arguments: isolations) func commitDuringTheClaimIsSeen(_ isolation: String) async throws {
        try await Bench.with(true) { bench async throws in
            let database = try bench.session.text("SELECT current_database()") ?? ""
            try bench.session.run("ALTER DATABASE \(database) SET default_transaction_isolation = '\(isolation)'")
            let other = try #require(try bench.ledger.begin(["t"], identity: "sha256:other", runner: "b"))
            let theirs = try #require(try bench.ledger.claimJobs(run: other, runner: "b", limit: 1).first)

            // B holds a key of the test's own, so that A's statement has begun and waits before it calls the claim.
            let script = "INSERT INTO public.effects VALUES ('t')"
            let first = try bench.receipts.message(
                around: script, for: Sample.ticket(theirs, run: other, runner: "b"))
            let late = try bench.receipts.message(around: script, for: bench.ticket())
                .replacing("SELECT \"muster\".claim", with: "SELECT pg_advisory_xact_lock(42), \"muster\".claim")
            let place = bench.place
            let refusals = try await Threads.run(2) { index in
                let session = try place.session()
                defer { session.close() }
                let holder = "\(Self.locksHere) AND objid = 42 AND granted"
                if index == 0 {
                    try Threads.wait { try session.integer(holder) == 1 }
                    return try session.refusal(of: late)
                }
                try session.run("SELECT pg_advisory_lock(42)")
                try Threads.wait { try session.integer("\(Self.locksHere) AND objid = 42 AND NOT granted") == 1 }
                let refusal = try session.refusal(of: first)
                try session.run("SELECT pg_advisory_unlock(42)")
                return refusal
            }
            #expect(refusals == [.done, nil])
            #expect(try bench.effects() == 1)
        }
    }

    /// Guarantees 1 and 4: runners that come at once, from runs of their own, have one effect per tenant, whatever the
    /// database's default isolation is.
    @Test(arguments: isolations, [true, false])
    func rivalsHaveOneEffect(_ isolation: String, _ isLocal: Bool) async throws {
        try await LedgerPlace.withLedger(.postgresql) { ledger, place in
            let database = try ledger.session.text("SELECT current_database()") ?? ""
            try ledger.session.run(
                """
                ALTER DATABASE \(database) SET default_transaction_isolation = '\(isolation)';
                CREATE TABLE public.effects (tenant text)
                """)
            let tenants = Sample.names(24)
            _ = try await Threads.run(4) { index in
                let ledger = try place.open()
                defer { ledger.session.close() }
                let receipts = PostgresReceipts(sql: ledger.sql, isLocal: isLocal)
                try receipts.ensureTable(in: ledger.session)
                // The others may have done it all before this one begins.
                guard let run = try ledger.begin(tenants, identity: "sha256:\(index)", runner: "runner-\(index)")
                else { return }
                var jobs = try ledger.claimJobs(run: run, runner: "runner-\(index)", limit: 100)
                while let job = jobs.first {
                    let script = "INSERT INTO public.effects VALUES ('\(job.tenant)')"
                    let ticket = Sample.ticket(job, run: run, runner: "runner-\(index)", token: "\(index)")
                    switch try ledger.session.refusal(of: receipts.message(around: script, for: ticket)) {
                    case .busy: jobs.append(jobs.removeFirst())
                    case nil, .done: jobs.removeFirst()
                    case let state?: throw DatabaseError(.misuse, "unexpected \(state)")
                    }
                }
            }
            #expect(try ledger.session.integer("SELECT count(*) FROM public.effects") == 24)
            #expect(try ledger.session.integer("SELECT count(DISTINCT tenant) FROM public.effects") == 24)
            let done = try ledger.value(
                "select count(*) from {}\(isLocal ? "executions" : "receipts") where state = 'succeeded' and attempt = 1"
            )
            #expect(done?.integer == 24)
        }
    }

    /// Guarantee 1: a script that ends its transaction, or takes the marker away, gets no receipt.
    @Test(
        arguments: [
            "ROLLBACK; BEGIN", "COMMIT", "COMMIT; BEGIN", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "RESET ALL",
            "ABORT; START TRANSACTION", "END", "SELECT set_config('muster.claim', 'mine', true)",
        ], [true, false])
    func scriptThatLeavesItsTransactionHasNoReceipt(_ script: String, _ isLocal: Bool) async throws {
        try await Bench.with(isLocal) { bench async throws in
            let refusal = try bench.apply(script: "INSERT INTO public.effects VALUES ('t'); \(script)")
            #expect(refusal == .leftTransaction)
            #expect(try bench.state() == nil)
        }
    }

    /// Guarantee 1: savepoints stay inside the transaction.
    @Test(arguments: [true, false]) func savepointsPass(_ isLocal: Bool) async throws {
        try await Bench.with(isLocal) { bench async throws in
            let script = """
                SAVEPOINT a; INSERT INTO public.effects VALUES ('lost'); ROLLBACK TO a; RELEASE a;
                SAVEPOINT b; INSERT INTO public.effects VALUES ('t'); RELEASE b
                """
            #expect(try bench.apply(script: script) == nil)
            #expect(try bench.effects() == 1)
            #expect(try bench.state() == "succeeded")
        }
    }

    /// Guarantee 1: what fails leaves neither the change nor the receipt.
    @Test(arguments: [true, false]) func failureLeavesNothing(_ isLocal: Bool) async throws {
        try await Bench.with(isLocal) { bench async throws in
            #expect(throws: DatabaseError.self) {
                try bench.apply(script: "INSERT INTO public.effects VALUES ('t'); SELECT 1/0")
            }
            #expect(try bench.effects() == 0)
            #expect(try bench.state() == nil)
            #expect(try bench.apply() == nil)
        }
    }

    /// Guarantee: a lock that anybody holds makes the claim busy, and it waits for none of them.
    @Test(arguments: [true, false]) func heldLocksAreBusy(_ isLocal: Bool) async throws {
        try await Bench.with(isLocal) { bench async throws in
            let other = try bench.place.session()
            defer { other.close() }
            let ticket = bench.ticket()
            for (lock, key) in [
                ("pg_advisory_lock", ticket.tenantKey), ("pg_advisory_lock_shared", ticket.tenantKey),
                ("pg_advisory_lock", ticket.workspaceKey), ("pg_advisory_lock", ticket.gateKey),
            ] {
                try other.run("SELECT \(lock)(\(key))")
                #expect(try bench.apply() == .busy, "\(lock) \(key)")
                try other.run("SELECT pg_advisory_unlock_all()")
            }
            #expect(try bench.effects() == 0)
            // Whoever works on another tenant holds the workspace shared; the gate is left at once.
            try other.run("SELECT pg_advisory_lock_shared(\(ticket.workspaceKey))")
            #expect(try bench.apply() == nil)
            #expect(try bench.session.integer(Self.locksHere) == 1)
        }
    }

    /// Guarantee 8: what is done is done; a changed body is drift, a rerun or accepted, as the runbook says.
    @Test(
        arguments: [
            (Sample.checksum, ChangePolicy.fail, ClaimState?.some(.done)), (Sample.checksum, .rerun, .done),
            (Sample.checksum, .accept, .done), ("sha256:other", .fail, .drifted), ("sha256:other", .accept, .done),
            ("sha256:other", .rerun, nil),
        ], [true, false])
    func doneFollowsThePolicy(
        _ given: (checksum: String, policy: ChangePolicy, expected: ClaimState?), _ isLocal: Bool
    ) async throws {
        for state in ["succeeded", "baselined"] {
            try await Bench.with(isLocal) { bench async throws in
                try bench.record(state, checksum: given.checksum)
                let ticket = bench.ticket(Sample.runbook("r", onChange: given.policy))
                #expect(try bench.apply(ticket) == given.expected)
                #expect(try bench.effects() == (given.expected == nil ? 1 : 0))
                if given.expected == nil {
                    let table = isLocal ? "executions" : "receipts"
                    let row = try bench.ledger.values("select state, checksum, attempt from {}\(table)")
                    #expect(row == [["succeeded", .text(Sample.checksum), 2]])
                }
            }
        }
    }

    /// Guarantee 2: an end that nobody saw stops everything but what may run twice. What failed or was undone runs.
    @Test(
        arguments: [
            ("running", false, ClaimState?.some(.unseenEnd)), ("unknown", false, .unseenEnd), ("running", true, nil),
            ("unknown", true, nil), ("failed", false, nil), ("rolled_back", false, nil),
        ], [true, false])
    func unseenEndStops(
        _ given: (state: String, mayRepeat: Bool, expected: ClaimState?), _ isLocal: Bool
    ) async throws {
        try await Bench.with(isLocal) { bench async throws in
            try bench.record(given.state)
            #expect(try bench.apply(bench.ticket(mayRepeat: given.mayRepeat)) == given.expected)
            #expect(try bench.state() == (given.expected == nil ? "succeeded" : given.state))
        }
    }

    /// Ways in which a job stops being its runner's.
    static let takeovers = [
        "update {}jobs set runner = 'b'", "update {}jobs set attempt = attempt + 1",
        "update {}jobs set state = 'queued'", "update {}jobs set state = 'cancelled'", "delete from {}jobs",
    ]

    /// Guarantee 5: in the ledger's database the claim is the fence: job, runner, attempt and run must still be ours.
    @Test(arguments: takeovers + ["update {}runs set status = 'completed'"])
    func supersededJobIsFencedOff(_ change: String) async throws {
        try await Bench.with(true) { bench async throws in
            try bench.ledger.change(change)
            #expect(try bench.apply() == .superseded)
            #expect(try bench.effects() == 0)
            #expect(try bench.state() == nil)
        }
    }

    /// Guarantee 5: a remote receipt refuses every claim that is older than one that left it.
    @Test func olderFenceIsRefusedRemotely() async throws {
        try await Bench.with(false) { bench async throws in
            let later = bench.job.fence + 1
            for (state, fence, expected) in [
                ("failed", later, ClaimState?.some(.superseded)), ("running", later, .superseded),
                // Whoever did it: done is done.
                ("succeeded", later, .done), ("failed", bench.job.fence, nil),
            ] {
                try bench.ledger.change("delete from {}receipts")
                try bench.record(state, fence: fence)
                #expect(try bench.apply(bench.ticket(mayRepeat: true)) == expected)
            }
            #expect(try bench.effects() == 1)
        }
    }

    /// Guarantee: where a database is one tenant, a receipt under another name is not taken for its own.
    @Test func receiptOfAnotherTenantIsForeign() async throws {
        try await Bench.with(false) { bench async throws in
            func ticket(_ tenant: String) -> ClaimTicket {
                var job = bench.job
                job.tenant = tenant
                return Sample.ticket(job, run: bench.run, holdsOneTenant: true)
            }
            #expect(try bench.apply(ticket("t")) == nil)
            #expect(try bench.apply(ticket("t")) == .doneInRun)
            #expect(try bench.apply(ticket("renamed")) == .foreignReceipt)
            // Where the database holds several, each has receipts of its own.
            #expect(try bench.apply() == nil)
            #expect(try bench.effects() == 2)
        }
    }
}
