import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// Which tenants have something undone, against a model that goes through all of them.
@Suite struct UnsettledTests {
    private struct Fleet {
        var scope: LedgerScope
        var recorded: [String: [Int: RecordedExecution]] = [:]

        init(tenants: Int, identities: Int, doneShare: Double, _ dice: inout Dice) {
            let names = Sample.names(tenants) + [""]
            let cohorts = 4
            scope = LedgerScope(
                tenants: names.map {
                    LedgerScope.ScopedTenant(id: $0, cohort: Int.random(in: 0..<cohorts, using: &dice))
                },
                identities: (0..<identities).map {
                    LedgerScope.ScopedIdentity(
                        identity: Identity(runbook: "r\($0 / 2)", key: "\($0 % 2)"), checksum: "sha256:\($0)",
                        acceptsChange: Bool.random(using: &dice))
                }, members: [])
            // The last cohort has no identity at all.
            for cohort in 0..<cohorts - 1 {
                for identity in 0..<identities where cohort == 0 || Int.random(in: 0..<3, using: &dice) > 0 {
                    scope.members.append(LedgerScope.Member(cohort: cohort, identity: identity))
                }
            }
            for name in names {
                let isMostlyDone = Double.random(in: 0..<1, using: &dice) < doneShare
                for identity in 0..<identities {
                    let isDone = isMostlyDone || Int.random(in: 0..<4, using: &dice) == 0
                    guard isDone || Bool.random(using: &dice) else { continue }
                    let state: ExecutionState =
                        isDone
                        ? (Bool.random(using: &dice) ? .succeeded : .baselined)
                        : [.running, .failed, .unknown, .rolledBack].randomElement(using: &dice) ?? .failed
                    let isChanged = Int.random(in: 0..<(isMostlyDone ? 60 : 3), using: &dice) == 0
                    recorded[name, default: [:]][identity] = RecordedExecution(
                        state: state, clean: state == .failed ? Bool.random(using: &dice) : nil,
                        checksum: isChanged ? "sha256:changed" : "sha256:\(identity)",
                        attempt: Int.random(in: 0..<9, using: &dice))
                }
            }
        }

        /// By the definition: some member identity is not done under its checksum.
        func isUnsettled(_ tenant: LedgerScope.ScopedTenant) -> Bool {
            scope.members.contains { member in
                guard member.cohort == tenant.cohort else { return false }
                let identity = scope.identities[member.identity]
                guard let row = recorded[tenant.id]?[member.identity], row.state.isDone else { return true }
                return row.checksum != identity.checksum && !identity.acceptsChange
            }
        }

        func save(in ledger: Ledger) throws {
            try ledger.writing { () throws(DatabaseError) in
                for (tenant, rows) in recorded {
                    let values = rows.map { index, row in
                        let identity = scope.identities[index].identity
                        let clean = row.clean.map(String.init) ?? "null"
                        return """
                            ('default', '\(tenant)', '\(identity.runbook)', '\(identity.key)', '\(row.state.rawValue)',
                             \(clean), \(row.attempt), '\(row.checksum)')
                            """
                    }
                    try ledger.session.run(
                        """
                        insert into \(ledger.sql.name("executions"))
                            (workspace, tenant, runbook, key, state, clean, attempt, checksum)
                        values \(values.joined(separator: ","))
                        """)
                }
                // Another workspace's rows are nobody's business here.
                try ledger.session.run(
                    """
                    insert into \(ledger.sql.name("executions"))
                        (workspace, tenant, runbook, key, state, clean, attempt, checksum)
                    select 'other', tenant, runbook, key, 'succeeded', null, 1, checksum
                    from \(ledger.sql.name("executions"))
                    """)
            }
        }
    }

    private func compare(_ fleet: Fleet, _ ledger: Ledger) throws {
        try fleet.save(in: ledger)
        try ask(fleet, ledger) { $0 }
        // Again with some in sets, and with all that can be; nobody counts attempts there.
        let loose: @Sendable (RecordedExecution) -> RecordedExecution = { record in
            guard record.state.isDone else { return record }
            return RecordedExecution(state: record.state, clean: record.clean, checksum: record.checksum, attempt: 0)
        }
        try ledger.remember(tenants: [], runbooks: [])
        _ = try ledger.seal(limit: fleet.scope.tenants.count / 2)
        try ask(fleet, ledger, loose)
        try ledger.sealAll()
        let unsealed = "select count(*) from {}executions where workspace = 'default' and state in \(done)"
        #expect(try ledger.value(unsealed)?.integer == 0)
        try ask(fleet, ledger, loose)
    }

    private let done = "('succeeded', 'baselined')"

    private func ask(
        _ fleet: Fleet, _ ledger: Ledger, _ known: @Sendable (RecordedExecution) -> RecordedExecution
    ) throws {
        let expected = fleet.scope.tenants.indices.filter { fleet.isUnsettled(fleet.scope.tenants[$0]) }
        var found: [Int] = []
        var wrong: [Int] = []
        try ledger.reading { () throws(DatabaseError) in
            try ledger.forEachUnsettled(in: fleet.scope) { index, records throws(DatabaseError) in
                found.append(index)
                let recorded = fleet.recorded[fleet.scope.tenants[index].id] ?? [:]
                if records.executions.mapValues(known) != recorded.mapValues(known) { wrong.append(index) }
            }
        }
        #expect(found == expected)
        #expect(wrong.isEmpty)
        #expect(try ledger.countUnsettled(in: fleet.scope) == expected.count)
        // The short question may miss that all is done, never that something is not.
        #expect(try expected.isEmpty || !ledger.glance(fleet.scope, unlessOpen: nil).isSettled)
    }

    /// Guarantee: what is sealed as far as each cohort needs it is settled at a glance; whatever is missing, too much in
    /// its own row, or done with another body is not.
    @Test(arguments: Engine.all) func settledIsSeenAtAGlance(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let runbooks = [Sample.runbook("r"), Sample.runbook("s", checksum: "sha256:s")]
            var scope = Sample.scope(["t'1", "t2", "t\\3"], runbooks)
            // The last tenant needs the first runbook alone.
            scope.tenants[2].cohort = 1
            scope.members.append(LedgerScope.Member(cohort: 1, identity: 0))
            try ledger.remember(tenants: [], runbooks: runbooks)
            func isSettled(_ scope: LedgerScope) throws -> Bool {
                try ledger.glance(scope, unlessOpen: "i").isSettled
            }
            #expect(try !isSettled(scope))
            for (tenant, runbook) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)] {
                #expect(try !isSettled(scope))
                let name = scope.tenants[tenant].id.replacing("'", with: "\'\'")
                try ledger.change(
                    """
                    insert into {}executions (workspace, tenant, runbook, key, state, attempt, checksum)
                    values ('default', '\(name)', '\(runbooks[runbook].id)', '1', 'succeeded', 1,
                        '\(runbooks[runbook].checksum)')
                    """)
                try ledger.sealAll()
            }
            #expect(try isSettled(scope))
            // Three members in two sets: one more than may be compared.
            #expect(try !ledger.glance(scope, unlessOpen: "i", mostMembers: 3).isSettled)
            #expect(try ledger.glance(scope, unlessOpen: "i", mostMembers: 4).isSettled)
            var more = scope
            more.tenants.append(LedgerScope.ScopedTenant(id: "t4", cohort: 1))
            #expect(try !isSettled(more))
            more = scope
            more.tenants[2].cohort = 0
            #expect(try !isSettled(more))
            more = scope
            more.identities[1].checksum = "sha256:changed"
            #expect(try !isSettled(more))
            more.identities[1].acceptsChange = true
            #expect(try isSettled(more))
            try ledger.change(
                """
                insert into {}executions (workspace, tenant, runbook, key, state, attempt, checksum)
                values ('default', 't2', 'r', '1', 'rolled_back', 1, 'sha256:a')
                """)
            #expect(try !isSettled(scope))
        }
    }

    /// Guarantee 6: the one query that stands before exit 0 answers what going through everything would.
    @Test(arguments: Engine.all, 1...6) func queryAgreesWithTheModel(_ engine: Engine, _ seed: UInt64) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            var dice = Dice(state: seed)
            try compare(Fleet(tenants: 60, identities: 7, doneShare: Double(seed) / 6, &dice), ledger)
        }
    }

    /// Guarantee 6: the same for a fleet, nearly all of it done.
    @Test(arguments: Engine.all) func queryAgreesWithTheModelOverAFleet(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            var dice = Dice(state: 99)
            try compare(Fleet(tenants: 2000, identities: 20, doneShare: 0.95, &dice), ledger)
        }
    }

    /// Guarantee: what the ledger says of states is what is there, by identity and by tenant.
    @Test(arguments: Engine.all) func statesAreCounted(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            var dice = Dice(state: 7)
            let fleet = Fleet(tenants: 200, identities: 5, doneShare: 0.5, &dice)
            try fleet.save(in: ledger)
            let table = try ledger.states(in: fleet.scope)
            try ledger.remember(tenants: [], runbooks: [])
            for limit in [70, 1000] {
                _ = try ledger.seal(limit: limit)
                #expect(try ledger.states(in: fleet.scope) == table)
            }
            var done = Array(repeating: 0, count: 5)
            var pending = done
            for tenant in fleet.scope.tenants {
                for member in fleet.scope.members where member.cohort == tenant.cohort {
                    let state = fleet.recorded[tenant.id]?[member.identity]?.state
                    if state?.isDone == true { done[member.identity] += 1 }
                    if state == nil || state == .rolledBack { pending[member.identity] += 1 }
                }
            }
            #expect(table.byIdentity.map(\.done) == done)
            #expect(table.byIdentity.map(\.pending) == pending)
            #expect(table.byTenant.map(\.done).reduce(0, +) == done.reduce(0, +))
            let all = table.byTenant.map { $0.done + $0.pending + $0.running + $0.failed + $0.unknown }
            let members = fleet.scope.tenants.map { tenant in
                fleet.scope.members.count { $0.cohort == tenant.cohort }
            }
            #expect(all == members)
        }
    }

    /// Guarantee: nobody asked about is nobody undone.
    @Test(arguments: Engine.all) func emptyScopeIsSettled(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ throws in
            #expect(try ledger.countUnsettled(in: Sample.scope([])) == 0)
            #expect(try ledger.countUnsettled(in: Sample.scope(["t"], [])) == 0)
            #expect(try ledger.countUnsettled(in: Sample.scope(["t"])) == 1)
        }
    }
}
