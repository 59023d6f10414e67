import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// Claims that undo: the same rules in the ledger's functions, in blocks sent to tenants' databases, in files and in the
/// model that plans.
@Suite struct UndoClaimTests {
    private static let body = Sample.checksum

    private static let records: [RecordedExecution?] =
        [nil]
        + ExecutionState.allCases.flatMap { state in
            [nil, true, false].flatMap { (clean: Bool?) in
                [body, "sha256:other", "undo:sha256:u"].map {
                    RecordedExecution(state: state, clean: clean, checksum: $0)
                }
            }
        }

    private static let rules: [UndoRule] = UndoRule.Kind.allCases.flatMap { kind in
        [true, false].flatMap { accepts in
            [true, false].flatMap { isRepeatable in
                [true, false].map { takesBaselined in
                    UndoRule(
                        kind: kind, checksum: body, acceptsChange: accepts, recorded: "undo:sha256:u",
                        isRepeatable: isRepeatable, takesBaselined: takesBaselined)
                }
            }
        }
    }

    private static func runbook(_ rule: UndoRule) -> Runbook {
        var runbook = Sample.runbook("r", onChange: rule.acceptsChange ? .accept : .fail)
        runbook.undoes = rule
        let script = SQLScript(path: "u.sql", text: "select 1", statements: [], checksum: "sha256:u")
        runbook.action = .sql(script)
        return runbook
    }

    private static func expected(_ rule: UndoRule, _ record: RecordedExecution?, hasReceipts: Bool) -> ClaimState? {
        // Only what was declared done may have no receipt.
        guard record != nil || !hasReceipts else { return rule.takesBaselined ? nil : .missingReceipts }
        return switch rule.decision(record) {
        case .run: nil
        case .nothing: .done
        case .drifted: .drifted
        case .declared: .declared
        case .unseen, .leftovers: .unseenEnd
        }
    }

    private static func put(_ record: RecordedExecution?, in ledger: Ledger, isLocal: Bool) throws {
        try ledger.change("delete from {}\(isLocal ? "executions" : "receipts")")
        guard let record else { return }
        let clean = record.clean.map { $0 ? "true" : "false" } ?? "null"
        try ledger.change(
            isLocal
                ? """
                insert into {}executions (workspace, tenant, runbook, key, state, clean, attempt, checksum)
                values ('default', 't', 'r', '1', '\(record.state.rawValue)', \(clean), 1, '\(record.checksum)')
                """
                : """
                insert into {}receipts (workspace, holder, tenant, runbook, key, state, clean, attempt, fence, checksum)
                values ('default', 't', 't', 'r', '1', '\(record.state.rawValue)', \(clean), 1, 0, '\(record.checksum)')
                """)
    }

    /// Guarantee 4: what the claim decides under the lock is what the plan would decide, for every record and rule.
    @Test(.needsPostgres, arguments: [true, false]) func claimsDecideAsPlansDo(isLocal: Bool) async throws {
        try await PostgresClaimTests.Bench.with(isLocal) { bench in
            for rule in Self.rules {
                let ticket = Sample.ticket(
                    bench.job, run: bench.run, runbook: Self.runbook(rule), mayRepeat: rule.isRepeatable)
                let claim = "\(bench.receipts.sql.begin);\n\(try bench.receipts.claim(ticket).text)\nROLLBACK"
                for record in Self.records {
                    try Self.put(record, in: bench.ledger, isLocal: isLocal)
                    let refusal = try bench.session.refusal(of: claim)
                    #expect(
                        refusal == Self.expected(rule, record, hasReceipts: !isLocal),
                        "\(String(describing: record)) \(rule)")
                }
            }
        }
    }

    /// Guarantee 4: the same in a tenant's file.
    @Test func filesDecideAsPlansDo() async throws {
        try await LedgerPlace.with(.sqlite) { place in
            let session = try place.session()
            defer { session.close() }
            try session.run("BEGIN IMMEDIATE")
            let receipts = SQLiteReceipts(session: session)
            try receipts.ensureTable()
            let job = ClaimedJob(tenant: "t", stage: 0, attempt: 1, fence: 5)
            for rule in Self.rules {
                let ticket = Sample.ticket(job, run: "run", runbook: Self.runbook(rule), mayRepeat: rule.isRepeatable)
                for record in Self.records {
                    try session.execute("DELETE FROM muster_receipts")
                    if let record {
                        try session.execute(
                            """
                            INSERT INTO muster_receipts (workspace, holder, tenant, runbook, key, state, clean, attempt,
                                fence, checksum)
                            VALUES ('default', 't', 't', 'r', '1', ?1, ?2, 1, 0, ?3)
                            """, [.text(record.state.rawValue), DatabaseValue(record.clean), .text(record.checksum)])
                    }
                    let found = try receipts.examine(ticket)?.state
                    let expected = Self.expected(rule, record, hasReceipts: true)
                    #expect(found == expected, "\(String(describing: record)) \(rule)")
                }
            }
        }
    }

    /// Guarantee 2: an apply does not go over a half undone identity, even if it may run twice.
    @Test(.needsPostgres, arguments: [true, false]) func applyRefusesUnfinishedUndos(isLocal: Bool) async throws {
        try await PostgresClaimTests.Bench.with(isLocal) { bench in
            let ticket = bench.ticket(mayRepeat: true)
            let claim = "\(bench.receipts.sql.begin);\n\(try bench.receipts.claim(ticket).text)\nROLLBACK"
            for state in [ExecutionState.running, .unknown, .failed] {
                try Self.put(
                    RecordedExecution(state: state, clean: false, checksum: "undo:sha256:u"), in: bench.ledger,
                    isLocal: isLocal)
                #expect(try bench.session.refusal(of: claim) == .unseenEnd, "\(state)")
            }
        }
    }

    /// Guarantee 1: the undo and the change of its record commit together; a second one finds nothing to undo.
    @Test(.needsPostgres, arguments: [true, false]) func undoneOnce(isLocal: Bool) async throws {
        try await PostgresClaimTests.Bench.with(isLocal) { bench in
            let rule = Self.rules[0]
            try bench.record("succeeded")
            let ticket = Sample.ticket(bench.job, run: bench.run, runbook: Self.runbook(rule))
            #expect(try bench.apply(ticket) == nil)
            #expect(try bench.state() == "rolled_back")
            #expect(try bench.apply(ticket) == (isLocal ? .done : .doneInRun))
            #expect(try bench.effects() == 1)
            let table = isLocal ? "executions" : "receipts"
            let rows = try bench.ledger.values("select attempt, checksum from {}\(table)")
            #expect(rows.map { $0.map(\.text) } == [["2", "undo:sha256:u"]])
            // And it can be done again.
            #expect(try bench.apply() == nil)
            #expect(try bench.state() == "succeeded")
        }
    }

    /// Guarantee 2: an undo that is no transaction leaves what it found if it did nothing, and says so if it did not end
    /// well.
    @Test(
        .needsPostgres, arguments: [true, false],
        [
            (ExecutionState.rolledBack, Bool?.none, "rolled_back - undo:sha256:u"),
            (.failed, true, "succeeded - sha256:a"), (.failed, false, "failed false undo:sha256:u"),
            (.unknown, nil, "unknown - undo:sha256:u"),
        ])
    func directUndosEnd(
        isLocal: Bool, _ end: (state: ExecutionState, clean: Bool?, expected: String)
    ) async throws {
        try await PostgresClaimTests.Bench.with(isLocal) { bench in
            try bench.record("succeeded")
            let ticket = Sample.ticket(bench.job, run: bench.run, runbook: Self.runbook(Self.rules[0]))
            try bench.session.run("SELECT pg_advisory_lock(\(ticket.tenantKey))")
            #expect(try bench.session.refusal(of: try bench.receipts.begin(ticket)) == nil)
            #expect(try bench.state() == "running")
            var attempt = 1
            if isLocal {
                attempt = try bench.ledger.value("select attempt from {}executions")?.integer ?? 0
                #expect(attempt == 2)
            }
            try bench.session.run(
                try bench.receipts.end(ticket, attempt: attempt, state: end.state, clean: end.clean))
            let found = try bench.ledger.value(
                """
                select state || ' ' || coalesce(clean::text, '-') || ' ' || checksum
                from {}\(isLocal ? "executions" : "receipts")
                """)
            #expect(found?.text == end.expected)
        }
    }

    /// Guarantee 2: what a second undo finds half undone is not whole again when it does nothing.
    @Test(.needsPostgres, arguments: [true, false]) func halfUndoneStaysSo(isLocal: Bool) async throws {
        try await PostgresClaimTests.Bench.with(isLocal) { bench in
            let rule = try #require(Self.rules.first { $0.isRepeatable })
            try bench.record("unknown", checksum: "undo:sha256:u")
            let ticket = Sample.ticket(bench.job, run: bench.run, runbook: Self.runbook(rule), mayRepeat: true)
            try bench.session.run("SELECT pg_advisory_lock(\(ticket.tenantKey))")
            #expect(try bench.session.refusal(of: try bench.receipts.begin(ticket)) == nil)
            try bench.session.run(
                try bench.receipts.end(ticket, attempt: isLocal ? 2 : 1, state: .failed, clean: true))
            #expect(try bench.state() == "failed")
        }
    }
}
