import DatabaseAccess
import LedgerStore
import RunbookModel
import SQLiteAccess
import TestSupport
import Testing

/// The same rules in a tenant's SQLite file.
@Suite struct SQLiteReceiptsTests {
    private static let job = ClaimedJob(tenant: "t", stage: 0, attempt: 1, fence: 5)

    private func with(_ body: (SQLiteReceipts) throws -> Void) async throws {
        try await LedgerPlace.with(.sqlite) { place in
            let session = try place.session()
            defer { session.close() }
            try session.run("BEGIN IMMEDIATE")
            let receipts = SQLiteReceipts(session: session)
            try receipts.ensureTable()
            try receipts.ensureTable()
            try body(receipts)
        }
    }

    private func ticket(
        _ policy: ChangePolicy = .fail, tenant: String = "t", fence: Int = 5, mayRepeat: Bool = false,
        holdsOneTenant: Bool = false, run: String = "run"
    ) -> ClaimTicket {
        var job = Self.job
        job.tenant = tenant
        job.fence = fence
        return Sample.ticket(
            job, run: run, runbook: Sample.runbook("r", onChange: policy), holdsOneTenant: holdsOneTenant,
            mayRepeat: mayRepeat)
    }

    /// Guarantee 8: done, drifted or due, as the policy says; what this run has done is told from what others did.
    @Test(
        arguments: [
            (Sample.checksum, ChangePolicy.fail, ClaimState?.some(.done)), (Sample.checksum, .rerun, .done),
            (Sample.checksum, .accept, .done), ("sha256:other", .fail, .drifted), ("sha256:other", .accept, .done),
            ("sha256:other", .rerun, nil),
        ])
    func doneFollowsThePolicy(
        _ given: (checksum: String, policy: ChangePolicy, expected: ClaimState?)
    ) async throws {
        try await with { receipts throws in
            #expect(try receipts.examine(ticket())?.state == nil)
            _ = try receipts.record(ticket(), state: .succeeded, rowsAffected: 3)
            try receipts.session.execute("UPDATE muster_receipts SET checksum = ?1", [.text(given.checksum)])
            #expect(try receipts.examine(ticket(given.policy, run: "later"))?.state == given.expected)
            let here = given.expected == .done ? .doneInRun : given.expected
            #expect(try receipts.examine(ticket(given.policy))?.state == here)
        }
    }

    /// Guarantee 2: an unseen end stops everything but what may run twice.
    @Test(
        arguments: [
            (ExecutionState.running, false, ClaimState?.some(.unseenEnd)), (.unknown, false, .unseenEnd),
            (.running, true, nil), (.unknown, true, nil), (.failed, false, nil), (.rolledBack, false, nil),
        ])
    func unseenEndStops(_ given: (state: ExecutionState, mayRepeat: Bool, expected: ClaimState?)) async throws {
        try await with { receipts throws in
            _ = try receipts.record(ticket(), state: given.state, rowsAffected: nil)
            #expect(try receipts.examine(ticket(mayRepeat: given.mayRepeat))?.state == given.expected)
        }
    }

    /// Guarantee 2: what failed and left something behind stops scripts, but not hooks and what may run twice.
    @Test(
        arguments: [
            (false, false, false, ClaimState?.some(.unseenEnd)), (false, true, false, nil), (false, false, true, nil),
            (true, false, false, nil),
        ])
    func remainsStopScripts(
        _ given: (clean: Bool, mayRepeat: Bool, isHook: Bool, expected: ClaimState?)
    ) async throws {
        try await with { receipts throws in
            var ticket = ticket(mayRepeat: given.mayRepeat)
            if !given.isHook { ticket.timeLimit = nil }
            _ = try receipts.record(ticket, state: .running, rowsAffected: nil)
            _ = try receipts.record(ticket, state: .failed, clean: given.clean, rowsAffected: nil)
            #expect(try receipts.examine(ticket)?.state == given.expected)
            _ = try receipts.record(ticket, state: .running, rowsAffected: nil)
            #expect(try receipts.session.integer("SELECT count(*) FROM muster_receipts WHERE clean IS NULL") == 1)
        }
    }

    /// Guarantee 5: an older claim is refused when it asks and when it writes.
    @Test func olderFenceIsRefused() async throws {
        try await with { receipts throws in
            _ = try receipts.record(ticket(fence: 6, mayRepeat: true), state: .running, rowsAffected: nil)
            #expect(try receipts.examine(ticket(mayRepeat: true))?.state == .superseded)
            let error = #expect(throws: DatabaseError.self) {
                try receipts.record(ticket(), state: .succeeded, rowsAffected: nil)
            }
            #expect(error?.sqlState == ClaimState.superseded.rawValue)
            #expect(try receipts.session.text("SELECT state FROM muster_receipts") == "running")
        }
    }

    /// Guarantee: where the file is one tenant, a receipt under another name is foreign; where not, each has its own.
    @Test func receiptOfAnotherTenantIsForeign() async throws {
        try await with { receipts throws in
            _ = try receipts.record(ticket(holdsOneTenant: true), state: .succeeded, rowsAffected: nil)
            #expect(try receipts.examine(ticket(tenant: "other", holdsOneTenant: true))?.state == .foreignReceipt)
            #expect(try receipts.examine(ticket(tenant: "other"))?.state == nil)
        }
    }

    /// Guarantee: one try is one attempt, from its beginning to its end, and the next one counts up.
    @Test func attemptsCountTries() async throws {
        try await with { receipts throws in
            #expect(try receipts.record(ticket(), state: .running, rowsAffected: nil) == 1)
            let began = try receipts.session.text("SELECT started_at FROM muster_receipts")
            #expect(try receipts.record(ticket(), state: .failed, rowsAffected: nil) == 1)
            #expect(try receipts.session.text("SELECT started_at FROM muster_receipts") == began)
            #expect(try receipts.record(ticket(fence: 9), state: .running, rowsAffected: nil) == 2)
            #expect(try receipts.record(ticket(fence: 9), state: .succeeded, rowsAffected: 4) == 2)
            let row = try receipts.session.row("SELECT state, fence, rows_affected FROM muster_receipts")
            #expect(row?.values == ["succeeded", 9, 4])
        }
    }
}
