import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// The `running` receipt and its end, around work that cannot be transactional.
@Suite(.needsPostgres) struct PostgresAttemptTests {
    typealias Bench = PostgresClaimTests.Bench

    /// Begins, and answers the attempt that `end` is to name.
    private func begin(_ bench: Bench, _ ticket: ClaimTicket) throws -> Int {
        var attempt = 1
        try bench.session.run(bench.receipts.begin(ticket), as: nil) { index, result in
            if index == 2 { attempt = result.firstRow?[0].integer ?? 1 }
        }
        return attempt
    }

    private func end(
        _ bench: Bench, _ ticket: ClaimTicket, _ attempt: Int, _ state: ExecutionState = .succeeded, clean: Bool? = nil
    ) throws -> Bool? {
        var held: Bool?
        try bench.session.run(
            bench.receipts.end(ticket, attempt: attempt, state: state, clean: clean), as: nil
        ) { index, result in
            if index == 2 { held = result.firstRow?[0].boolean }
        }
        return held
    }

    /// Guarantee 2: the beginning is committed before the work, and the end after it, under the lock.
    @Test(arguments: [true, false]) func beginningAndEndAreCommitted(_ isLocal: Bool) async throws {
        try await Bench.with(isLocal) { bench async throws in
            let ticket = bench.ticket()
            try bench.session.run("SELECT pg_advisory_lock(\(ticket.tenantKey))")
            let attempt = try begin(bench, ticket)
            let other = try bench.place.open()
            defer { other.session.close() }
            let table = isLocal ? "executions" : "receipts"
            #expect(try other.value("select state from {}\(table)") == "running")
            #expect(try other.value("select finished_at from {}\(table)") == .null)
            #expect(try end(bench, ticket, attempt) == true)
            #expect(try other.value("select state from {}\(table)") == "succeeded")
            #expect(try other.value("select finished_at is not null from {}\(table)") == true)
            let again = try bench.session.refusal(of: bench.receipts.begin(ticket))
            #expect(again == (isLocal ? .done : .doneInRun))
        }
    }

    /// Guarantee 5: without the lock the end is unknown; a shared lock, or another key, is not the lock.
    @Test(arguments: [true, false]) func lostLockIsUnknown(_ isLocal: Bool) async throws {
        for lock in ["pg_advisory_lock_shared", "pg_advisory_lock", nil] {
            try await Bench.with(isLocal) { bench async throws in
                let ticket = bench.ticket()
                let key = lock == "pg_advisory_lock" ? ticket.tenantKey + 1 : ticket.tenantKey
                if let lock { try bench.session.run("SELECT \(lock)(\(key))") }
                let attempt = try begin(bench, ticket)
                #expect(try end(bench, ticket, attempt) == false)
                #expect(try bench.state() == "unknown")
            }
        }
    }

    /// Guarantee: keys with every pattern of bits are found again among the server's locks.
    @Test(arguments: ["t", "acme", "ü", "x1", "x2", "x3", "x4", "x5"])
    func lockIsFoundWhateverItsSign(_ tenant: String) async throws {
        try await Bench.with(false) { bench async throws in
            var job = bench.job
            job.tenant = tenant
            let ticket = Sample.ticket(job, run: bench.run)
            try bench.session.run("SELECT pg_advisory_lock(\(ticket.tenantKey))")
            let attempt = try begin(bench, ticket)
            #expect(try end(bench, ticket, attempt) == true)
        }
    }

    /// Guarantee 2: whoever comes after a runner that vanished finds `running`, and does not run.
    @Test(arguments: [true, false]) func vanishedRunnerLeavesAnUnseenEnd(_ isLocal: Bool) async throws {
        try await Bench.with(isLocal) { bench async throws in
            let ticket = bench.ticket()
            _ = try begin(bench, ticket)
            #expect(try bench.session.refusal(of: bench.receipts.begin(ticket)) == .unseenEnd)
            #expect(try begin(bench, bench.ticket(mayRepeat: true)) >= 1)
            let attempts = try bench.ledger.value("select attempt from {}\(isLocal ? "executions" : "receipts")")
            #expect(attempts?.integer == 2)
        }
    }

    /// Guarantee 2: a script that failed and left something behind is not run again by whoever planned before that;
    /// a hook is, and so is what may run twice.
    @Test(arguments: [true, false]) func remainsStopScripts(_ isLocal: Bool) async throws {
        try await Bench.with(isLocal) { bench async throws in
            let hook = bench.ticket()
            var script = hook
            script.timeLimit = nil
            var repeatable = script
            repeatable.mayRepeat = true
            try bench.session.run("SELECT pg_advisory_lock(\(script.tenantKey))")
            #expect(try end(bench, script, begin(bench, script), .failed, clean: false) == true)
            #expect(try bench.session.refusal(of: bench.receipts.begin(script)) == .unseenEnd)
            #expect(try bench.apply(script) == .unseenEnd)
            #expect(try bench.effects() == 0)
            for ticket in [repeatable, hook] {
                #expect(try end(bench, ticket, begin(bench, ticket), .failed, clean: false) == true)
            }
            // A clean end takes the mark away.
            #expect(try end(bench, repeatable, begin(bench, repeatable), .failed, clean: true) == true)
            #expect(try bench.apply(script) == nil)
        }
    }

    /// Guarantee 5: the end of an attempt that another runner has begun again changes nothing.
    @Test(arguments: [true, false]) func supersededEndChangesNothing(_ isLocal: Bool) async throws {
        try await Bench.with(isLocal) { bench async throws in
            let old = bench.ticket(mayRepeat: true)
            try bench.session.run("SELECT pg_advisory_lock(\(old.tenantKey))")
            let first = try begin(bench, old)
            try bench.ledger.endRunner("a", run: bench.run)
            try bench.ledger.addRunner("b", run: bench.run, host: "there", pid: 2)
            let job = try #require(try bench.ledger.claimJobs(run: bench.run, runner: "b", limit: 1).first)
            #expect(job.attempt == bench.job.attempt + 1)
            #expect(job.fence > bench.job.fence)
            let new = Sample.ticket(job, run: bench.run, runner: "b", mayRepeat: true)
            let second = try begin(bench, new)

            if isLocal {
                let text = try bench.receipts.end(old, attempt: first, state: .succeeded, clean: nil)
                #expect(try bench.session.refusal(of: text) == .superseded)
            } else {
                #expect(try end(bench, old, first) == nil)
            }
            #expect(try bench.state() == "running")
            #expect(try end(bench, new, second, .failed, clean: false) == true)
            #expect(try bench.state() == "failed")
        }
    }
}
