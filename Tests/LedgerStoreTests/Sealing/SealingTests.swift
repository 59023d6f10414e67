import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// What is finished moves into sets that tenants share, and nobody who asks can tell.
@Suite struct SealingTests {
    static let unsealed = "select count(*) from {}executions where state in ('succeeded', 'baselined')"

    /// A run in which every tenant does the runbooks given, `states` saying how each ended.
    @discardableResult
    static func deploy(
        _ ledger: Ledger, _ tenants: [String], _ runbooks: [Runbook], identity: String = "sha256:run",
        _ state: (String, Runbook) -> ExecutionState? = { _, _ in .succeeded }
    ) throws -> String? {
        try ledger.remember(tenants: tenants.map { Tenant(id: $0) }, runbooks: runbooks)
        guard let run = try ledger.begin(tenants, runbooks, identity: identity, runner: nil) else { return nil }
        let jobs = try ledger.claimJobs(run: run, runner: "a", limit: tenants.count)
        let results = jobs.map { job in
            let outcomes = runbooks.compactMap { runbook in
                state(job.tenant, runbook).map { Sample.outcome($0, runbook) }
            }
            let isDone = outcomes.allSatisfy { $0.state == .succeeded }
            return Sample.result(job, isDone ? .succeeded : .failed, outcomes)
        }
        #expect(try ledger.write(results, run: run, runner: "a") == jobs.count)
        #expect(try ledger.completeRun(run))
        return run
    }

    /// Guarantee: tenants with the same history share one set, and a set that nobody has any more is gone.
    @Test(arguments: Engine.all) func tenantsShareSets(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let tenants = Sample.names(25)
            let runbooks = (1...3).map { Sample.runbook("r\($0)") }
            for count in 1...3 {
                try Self.deploy(ledger, tenants + (count == 3 ? ["new"] : []), Array(runbooks.prefix(count)))
                try ledger.sealAll(limit: 10)
                #expect(try ledger.value("select count(*) from {}executions")?.integer == 0)
                #expect(try ledger.value("select count(*) from {}sets")?.integer == 1)
                #expect(try ledger.value("select count(*) from {}set_members")?.integer == count)
            }
            #expect(try ledger.value("select count(*) from {}sealed")?.integer == 26)
            // Who finished something else has another set.
            try Self.deploy(ledger, ["odd"], [Sample.runbook("r1"), Sample.runbook("odd")])
            try ledger.sealAll()
            #expect(try ledger.value("select count(*) from {}sets")?.integer == 2)
            #expect(try ledger.countUnsettled(in: Sample.scope(tenants + ["new"], runbooks)) == 0)
            #expect(try ledger.countUnsettled(in: Sample.scope(["odd"], runbooks)) == 1)
            #expect(try ledger.countUnsettled(in: Sample.scope(["other"], runbooks)) == 1)
        }
    }

    /// Guarantee: nothing is sealed while a run is open, in a workspace that never ran, or of another workspace.
    @Test(arguments: Engine.all) func openRunKeepsFromSealing(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            try Self.deploy(ledger, ["t", "u"], [Sample.runbook("r")])
            let other = try place.open(workspace: "other")
            defer { other.session.close() }
            try other.sealAll()
            try Self.deploy(other, ["t"], [Sample.runbook("r")])
            _ = try ledger.begin(["t"], [Sample.runbook("s")], runner: nil)
            try ledger.sealAll()
            #expect(try ledger.value(Self.unsealed)?.integer == 3)
            // Another workspace's run is no obstacle.
            try other.sealAll()
            #expect(try ledger.value(Self.unsealed)?.integer == 2)
            #expect(try other.countUnsettled(in: Sample.scope(["t"])) == 0)
        }
    }

    /// Guarantee: a tenant whose lock somebody holds is left as it is, and sealed the next time.
    @Test(.needsPostgres) func lockedTenantIsLeft() async throws {
        try await LedgerPlace.withLedger(.postgresql) { ledger, place in
            try Self.deploy(ledger, ["t", "u"], [Sample.runbook("r")])
            let session = try place.session()
            defer { session.close() }
            try session.run("SELECT pg_advisory_lock(\(LockKey.tenant("t", workspace: "default")))")
            try ledger.sealAll()
            #expect(try ledger.values("select tenant from {}executions") == [["t"]])
            #expect(try ledger.countUnsettled(in: Sample.scope(["t", "u"])) == 0)
            try session.run("SELECT pg_advisory_unlock_all()")
            try ledger.sealAll()
            #expect(try ledger.value(Self.unsealed)?.integer == 0)
        }
    }

    /// Guarantee: what `completed` says of time, run and checksum stays, also where the runner died before it wrote
    /// history; failures stay where they are.
    @Test(arguments: Engine.all) func completedStays(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            try Self.deploy(ledger, ["t", "u"], [Sample.runbook("r"), Sample.runbook("s")]) { tenant, runbook in
                tenant == "u" && runbook.id == "s" ? .failed : .succeeded
            }
            try ledger.change("delete from {}attempts where tenant = 't' and runbook = 's'")
            let completed = "select * from {}completed order by tenant, runbook"
            let failures = "select * from {}failures"
            let before = (try ledger.values(completed), try ledger.values(failures))
            #expect(before.0.count == 3)
            try ledger.sealAll()
            #expect(try ledger.value(Self.unsealed)?.integer == 0)
            #expect(try ledger.values(completed) == before.0)
            #expect(try ledger.values(failures) == before.1)
            // What was sealed twice is there once.
            try ledger.sealAll()
            #expect(try ledger.values(completed) == before.0)
            #expect(try ledger.value("select count(*) from {}attempts")?.integer == 4)
        }
    }

    /// Guarantee: a finished identity that is sealed is not overwritten by a failure; another body that succeeds takes
    /// its place, and the number of its attempt grows.
    @Test(arguments: Engine.all) func sealedIsFinished(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let changed = Sample.runbook("r", checksum: "sha256:b", onChange: .rerun)
            try Self.deploy(ledger, ["t"], [Sample.runbook("r")])
            try ledger.sealAll()
            try Self.deploy(ledger, ["t"], [changed], identity: "sha256:2") { _, _ in .failed }
            let record = "select state, checksum, attempt from {}known"
            #expect(try ledger.values(record) == [["succeeded", "sha256:a", 1]])
            try ledger.sealAll()
            #expect(try ledger.values(record) == [["succeeded", "sha256:a", 1]])
            try Self.deploy(ledger, ["t"], [changed], identity: "sha256:3")
            #expect(try ledger.values(record) == [["succeeded", "sha256:b", 2]])
            try ledger.sealAll()
            #expect(try ledger.values(record) == [["succeeded", "sha256:b", 2]])
            #expect(try ledger.value("select count(*) from {}executions")?.integer == 0)
            #expect(try ledger.value("select count(*) from {}set_members")?.integer == 1)
        }
    }

    /// Guarantee: a person's change finds what is sealed, and leaves the rest of the tenant's set alone.
    @Test(arguments: Engine.all) func sealedMayBeChanged(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let runbooks = [Sample.runbook("r"), Sample.runbook("s"), Sample.runbook("once")]
            try Self.deploy(ledger, ["t", "u"], runbooks)
            try ledger.sealAll()
            let seen = try #require(try ledger.records(of: "t")[runbooks[0].identity])
            #expect(seen.execution.attempt == 1)
            #expect(seen.runner == "a")
            let note = AuditNote(kind: "repair_forget_missing", actor: "me", reason: "restored")
            let change = RecordChange(
                runbooks[0].identity, seen: seen.execution, state: .rolledBack, checksum: Sample.checksum)
            #expect(try ledger.change([change], tenant: "t", note: note) == [runbooks[0].identity])
            #expect(try ledger.change([change], tenant: "t", note: note) == [])
            let unseen = RecordChange(runbooks[1].identity, seen: nil, state: .succeeded, checksum: "sha256:x")
            #expect(try ledger.change([unseen], tenant: "t", note: note) == [])
            #expect(try ledger.records(of: "t").mapValues(\.execution.state)[runbooks[0].identity] == .rolledBack)
            #expect(try ledger.records(of: "t")[runbooks[1].identity]?.execution.checksum == Sample.checksum)
            #expect(try ledger.countUnsettled(in: Sample.scope(["t", "u"], runbooks)) == 1)
            try ledger.sealAll()
            #expect(try ledger.countUnsettled(in: Sample.scope(["t", "u"], runbooks)) == 1)
            try Self.deploy(ledger, ["t", "u"], runbooks, identity: "sha256:2") { _, runbook in
                runbook.id == "r" ? .succeeded : nil
            }
            try ledger.sealAll()
            #expect(try ledger.countUnsettled(in: Sample.scope(["t", "u"], runbooks)) == 0)
            #expect(try ledger.value("select count(*) from {}executions")?.integer == 0)
            #expect(try ledger.records(of: "t")[runbooks[0].identity]?.execution.attempt == 2)
        }
    }

    /// Guarantees 4 and 8: the claim re-reads both places under the lock; what is sealed never runs again under its key
    /// and body, is drift under another, and runs again only where the manifest says so.
    @Test(.needsPostgres, arguments: [false, true]) func claimKnowsWhatIsSealed(_ isDirect: Bool) async throws {
        try await LedgerPlace.withLedger(.postgresql) { ledger, _ in
            try Self.deploy(ledger, ["t"], [Sample.runbook("r")])
            try ledger.sealAll()
            let run = try #require(try ledger.begin(["t"], [Sample.runbook("s")], identity: "sha256:2", runner: "b"))
            let job = try #require(try ledger.claimJobs(run: run, runner: "b", limit: 1).first)
            let receipts = PostgresReceipts(sql: ledger.sql, isLocal: true)
            func answer(_ checksum: String, _ policy: ChangePolicy) throws -> ClaimState? {
                let runbook = Sample.runbook("r", checksum: checksum, onChange: policy)
                let ticket = Sample.ticket(job, run: run, runner: "b", runbook: runbook)
                return try ledger.session.refusal(
                    of: isDirect ? receipts.begin(ticket) : receipts.message(around: "SELECT 1", for: ticket))
            }
            for policy in [ChangePolicy.fail, .accept, .rerun] {
                #expect(try answer(Sample.checksum, policy) == .done)
            }
            #expect(try answer("sha256:b", .accept) == .done)
            #expect(try answer("sha256:b", .fail) == .drifted)
            #expect(try ledger.value("select count(*) from {}executions")?.integer == 0)
            #expect(try answer("sha256:b", .rerun) == nil)
            let rows = try ledger.values("select runbook, state, attempt, checksum from {}executions")
            #expect(rows == [["r", isDirect ? "running" : "succeeded", 2, "sha256:b"]])
        }
    }

    /// Guarantee: whoever is lost anywhere on the way has sealed a chunk or nothing of it; the next one goes on.
    @Test(arguments: Engine.all) func interruptedSealingLosesNothing(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let runbooks = [Sample.runbook("r"), Sample.runbook("s")]
            try Self.deploy(ledger, Sample.names(6), runbooks)
            let completed = "select * from {}completed order by tenant, runbook"
            let expected = try ledger.values(completed)
            #expect(expected.count == 12)
            var calls = 0
            var hasFailed = true
            while hasFailed {
                calls += 1
                let session = FaultySession(try place.session(), failingAt: calls)
                defer { session.close() }
                do { try Ledger.open(session, schema: place.schema, workspace: "default").sealAll(limit: 2) } catch {}
                hasFailed = session.hasFailed
                #expect(try ledger.values(completed) == expected, "after call \(calls)")
                #expect(try ledger.countUnsettled(in: Sample.scope(Sample.names(6), runbooks)) == 0)
            }
            #expect(calls > 15)
            #expect(try ledger.value("select count(*) from {}executions")?.integer == 0)
        }
    }

    /// Guarantee: runs that begin, fail and end while others seal never leave a failure in front of what is finished.
    @Test(arguments: Engine.all) func sealingBesideRunsKeepsWhatIsFinished(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let tenants = Sample.names(12)
            try Self.deploy(ledger, tenants, [Sample.runbook("r")])
            let rounds = 12
            let failures = try await Threads.run(3) { index in
                let ledger = try place.open()
                defer { ledger.session.close() }
                for round in 0..<rounds {
                    guard index == 0 else {
                        try ledger.sealAll(limit: 5)
                        continue
                    }
                    let runbooks = [
                        Sample.runbook("r", checksum: "sha256:\(round)", onChange: .rerun), Sample.runbook("r\(round)"),
                    ]
                    try Self.deploy(ledger, tenants, runbooks, identity: "sha256:\(round)") { _, runbook in
                        runbook.id == "r" ? .failed : .succeeded
                    }
                }
                return try ledger.values("select tenant from {}known where runbook = 'r' and state <> 'succeeded'")
                    .count
            }
            #expect(failures == [0, 0, 0])
            try ledger.sealAll()
            #expect(try ledger.value("select count(*) from {}executions")?.integer == 0)
            #expect(try ledger.value("select count(*) from {}completed")?.integer == tenants.count * (rounds + 1))
        }
    }
}
