import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// What a run has finished, what is to be undone, and that nothing is done and undone at the same time.
@Suite struct RollbackRunTests {
    private static let rule = UndoRule(kind: .sql, checksum: Sample.checksum, recorded: "undo:sha256:u")

    private func finish(
        _ ledger: Ledger, _ tenants: [String], _ runbooks: [Runbook], _ state: ExecutionState = .succeeded,
        identity: String, kind: RunKind = .apply, checksum: String? = nil
    ) throws -> String {
        var draft = Sample.draft(identity)
        draft.kind = kind
        var scope = Sample.scope(tenants, runbooks)
        scope.isUndo = kind == .rollback
        let run = try #require(try ledger.startRun(draft, jobs: scope, settled: 0))
        try ledger.addRunner("a-\(identity)", run: run.id, host: "here", pid: 1)
        let jobs = try ledger.claimJobs(run: run.id, runner: "a-\(identity)", limit: 1000)
        let results = jobs.map { job in
            Sample.result(
                job, .succeeded,
                runbooks.map {
                    var outcome = Sample.outcome(state, $0)
                    outcome.failure = nil
                    outcome.checksum = checksum ?? outcome.checksum
                    return outcome
                })
        }
        #expect(try ledger.write(results, run: run.id, runner: "a-\(identity)") == jobs.count)
        #expect(try ledger.completeRun(run.id))
        return run.id
    }

    private func finished(_ ledger: Ledger, by run: String) throws -> [String] {
        var found: [String] = []
        try ledger.finished(byRun: run) { found.append("\($0) \($1)") }
        return found.sorted()
    }

    private func open(_ ledger: Ledger, _ scope: LedgerScope) throws -> [String] {
        var scope = scope
        scope.isUndo = true
        var found: [String] = []
        try ledger.forEachUnsettled(in: scope) { index, _ in found.append(scope.tenants[index].id) }
        #expect(try ledger.countUnsettled(in: scope) == found.count)
        return found
    }

    /// Guarantee: what one run finished is told from what others did, whether it is sealed or not, and is gone from the
    /// answer once it is undone or done again by another.
    @Test(arguments: Engine.all, [true, false]) func whatARunFinished(_ engine: Engine, seals: Bool) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let (one, two) = (Sample.runbook("one"), Sample.runbook("two"))
            try ledger.remember(tenants: Sample.names(3).map { Tenant(id: $0) }, runbooks: [one, two])
            let first = try finish(ledger, ["t00000", "t00001"], [one], identity: "1")
            let second = try finish(ledger, ["t00001", "t00002"], [two], identity: "2")
            if seals { try ledger.sealAll() }
            #expect(try finished(ledger, by: first) == ["t00000 one@1", "t00001 one@1"])
            #expect(try finished(ledger, by: second) == ["t00001 two@1", "t00002 two@1"])
            #expect(try open(ledger, Sample.scope(Sample.names(3), [one])) == ["t00000", "t00001"])
            #expect(try open(ledger, Sample.scope(Sample.names(3), [one, two])) == Sample.names(3))

            let undo = try finish(
                ledger, ["t00000"], [one], .rolledBack, identity: "u", kind: .rollback, checksum: "undo:sha256:u")
            if seals { try ledger.sealAll() }
            #expect(try finished(ledger, by: first) == ["t00001 one@1"])
            #expect(try finished(ledger, by: undo).isEmpty)
            #expect(try open(ledger, Sample.scope(Sample.names(3), [one])) == ["t00001"])
            let completed = "select count(*) from {}completed where runbook = 'one'"
            #expect(try ledger.value(completed)?.integer == 1)
            #expect(try ledger.countUnsettled(in: Sample.scope(Sample.names(3), [one])) == 2)

            let again = try finish(ledger, ["t00000"], [one], identity: "3")
            if seals { try ledger.sealAll() }
            #expect(try finished(ledger, by: first) == ["t00001 one@1"])
            #expect(try finished(ledger, by: again) == ["t00000 one@1"])
            let attempt = try ledger.value("select attempt from {}known where tenant = 't00000'")?.integer
            #expect(attempt == 3)
        }
    }

    /// Guarantee: an undo that failed and left nothing does not change what is on record; it is history, and a failure of
    /// its run until it is made good.
    @Test(arguments: Engine.all) func failedUndoChangesNothing(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let one = Sample.runbook("one")
            try ledger.remember(tenants: [Tenant(id: "t")], runbooks: [one])
            let run = try finish(ledger, ["t"], [one], identity: "1")
            try ledger.sealAll()
            var draft = Sample.draft("u")
            draft.kind = .rollback
            var scope = Sample.scope(["t"], [one])
            scope.isUndo = true
            let undo = try #require(try ledger.startRun(draft, jobs: scope, settled: 0))
            try ledger.addRunner("b", run: undo.id, host: "here", pid: 1)
            let job = try #require(try ledger.claimJobs(run: undo.id, runner: "b", limit: 1).first)
            var outcome = Sample.outcome(.failed, one)
            outcome.checksum = "undo:sha256:u"
            #expect(try ledger.write([Sample.result(job, .failed, [outcome])], run: undo.id, runner: "b") == 1)
            #expect(try ledger.completeRun(undo.id))
            #expect(try ledger.value("select state from {}known")?.text == "succeeded")
            #expect(try ledger.failures(ofRun: undo.id).map(\.state) == ["failed"])
            #expect(try finished(ledger, by: run) == ["t one@1"])

            // One that left something takes the place of what was done.
            let later = try #require(
                try ledger.startRun(
                    {
                        var draft = Sample.draft("v")
                        draft.kind = .rollback
                        return draft
                    }(), jobs: scope, settled: 0))
            try ledger.addRunner("c", run: later.id, host: "here", pid: 1)
            let next = try #require(try ledger.claimJobs(run: later.id, runner: "c", limit: 1).first)
            outcome.failure?.clean = false
            #expect(try ledger.write([Sample.result(next, .failed, [outcome])], run: later.id, runner: "c") == 1)
            #expect(try ledger.completeRun(later.id))
            #expect(try ledger.value("select state from {}known")?.text == "failed")
            // It still is what that run did, and can be undone again.
            #expect(try finished(ledger, by: run) == ["t one@1"])
        }
    }

    /// Guarantee: nothing is applied while a rollback is open, and nothing rolled back while an apply is.
    @Test(arguments: Engine.all, [RunKind.apply, .rollback])
    func kindsExcludeEachOther(_ engine: Engine, _ first: RunKind) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            try ledger.remember(tenants: ["t", "u"].map { Tenant(id: $0) }, runbooks: [Sample.runbook("r")])
            _ = try finish(ledger, ["u"], [Sample.runbook("r")], identity: "0")
            func start(_ kind: RunKind) throws -> StartedRun? {
                var draft = Sample.draft("of-\(kind)")
                draft.kind = kind
                var scope = Sample.scope([kind == .apply ? "t" : "u"])
                scope.isUndo = kind == .rollback
                return try ledger.startRun(draft, jobs: scope, settled: 0)
            }
            let other: RunKind = first == .apply ? .rollback : .apply
            let run = try #require(try start(first))
            #expect(run.waitsFor == nil)
            #expect(try start(other)?.waitsFor == run.id)
            #expect(try start(first)?.joined == true)
            #expect(try ledger.openRun(otherThan: other) == run.id)
            #expect(try ledger.openRun(otherThan: first) == nil)
            _ = try ledger.cancelRun(run.id, note: AuditNote(kind: "cancel_run", actor: "me", reason: ""))
            let second = try #require(try start(other))
            #expect(second.waitsFor == nil && !second.joined)
            #expect(try ledger.run(second.id)?.kind == other)
        }
    }

    /// Guarantee: a manifest that lists less than the last one is told so by the question that it asks anyway.
    @Test(arguments: Engine.all) func unlistedIdentities(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let all = ["one", "two", "three"].map { Sample.runbook($0) }
            try ledger.remember(tenants: [Tenant(id: "t")], runbooks: all)
            _ = try finish(ledger, ["t"], all, identity: "1")
            try ledger.sealAll()
            let newer = try ledger.glance(Sample.scope(["t"], all), unlessOpen: nil)
            #expect(newer.isSettled && newer.unlisted.isEmpty)
            let older = try ledger.glance(Sample.scope(["t"], [all[1]]), unlessOpen: nil)
            #expect(older.isSettled)
            #expect(older.unlisted == ["one@1", "three@1"])
            // What was taken out on purpose is said until a run with work to do has seen that manifest.
            try ledger.remember(tenants: [Tenant(id: "t")], runbooks: [all[1]])
            #expect(try ledger.glance(Sample.scope(["t"], [all[1]]), unlessOpen: nil).unlisted.isEmpty)
        }
    }
}
