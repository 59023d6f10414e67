import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// Hooks around runs, as the ledger keeps them.
@Suite struct HookTests {
    private func take(
        _ ledger: Ledger, _ hook: RunHook = .beforeRun, of run: String, tenant: String = "", by runner: String = "a",
        lost: Int? = nil, isRepeated: Bool = false
    ) throws -> HookTaking {
        try ledger.takeHook(
            hook, of: run, tenant: tenant, runner: runner, host: "here", limit: .seconds(60), lost: lost,
            isRepeated: isRepeated)
    }

    private func begun(_ taking: HookTaking) -> HookStart? {
        if case .begun(let start) = taking { start } else { nil }
    }

    /// Guarantee: of many runners that ask at once exactly one begins a hook; the others hear that it goes on elsewhere.
    @Test(arguments: Engine.all) func oneOfManyBeginsIt(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let run = try #require(try ledger.begin(Sample.names(3), runner: nil))
            for number in 0..<8 { try ledger.addRunner("r\(number)", run: run, host: "here", pid: number) }
            let answers = try await Threads.run(8) { number in
                let mine = try place.open()
                defer { mine.session.close() }
                switch try self.take(mine, of: run, by: "r\(number)") {
                case .begun: return 1
                case .elsewhere: return 0
                case .ended, .unseen: return 100
                }
            }
            #expect(answers.reduce(0, +) == 1)
        }
    }

    /// Guarantee: one that ended is not begun again, but around a tenant; one that was interrupted is, with one attempt more.
    @Test(arguments: Engine.all) func whatEndedStaysEnded(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(Sample.names(3)))
            let first = try #require(begun(try take(ledger, of: run)))
            #expect(try ledger.endHook(first, .interrupted, runner: "a"))
            let second = try #require(begun(try take(ledger, of: run)))
            #expect(second.attempt == 2)
            #expect(try ledger.endHook(first, .passed, runner: "a") == false, "an older attempt writes nothing")
            #expect(try ledger.endHook(second, .failed(code: 3, message: "m\0", output: "o"), runner: "b") == false)
            #expect(try ledger.endHook(second, .failed(code: 3, message: "m\0", output: "o"), runner: "a"))
            guard case .ended(let record) = try take(ledger, of: run, by: "b") else {
                Issue.record("it was begun again")
                return
            }
            #expect(record.state == .failed && record.exitCode == 3 && record.attempts == 2)
            #expect(record.message == "m\u{fffd}" && record.output == "o")

            let tenant = try #require(begun(try take(ledger, .beforeTenant, of: run, tenant: "t00000")))
            #expect(try ledger.endHook(tenant, .passed, runner: "a"))
            let again = try take(ledger, .beforeTenant, of: run, tenant: "t00000", isRepeated: true)
            #expect(begun(again)?.attempt == 2)
            #expect(try ledger.hooks(ofRun: run).map(\.hook) == [.beforeRun], "a tenant's own only when it failed")
        }
    }

    /// Guarantee: what a runner that is gone has begun is found unseen, with where its processes are, and is begun again
    /// once they are known to be gone; by one of two.
    @Test(arguments: Engine.all) func lostRunnersHookIsBegunAgain(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(Sample.names(3)))
            for runner in ["b", "c"] { try ledger.addRunner(runner, run: run, host: "here", pid: 1) }
            let start = try #require(begun(try take(ledger, of: run)))
            try ledger.note(group: 4711, processStart: "boot ns 12", of: start, runner: "a")
            guard case .elsewhere = try take(ledger, of: run, by: "b") else {
                Issue.record("a living runner's hook was taken")
                return
            }
            try ledger.change("update {}runners set ended_at = started_at where id = 'a'")
            guard case .unseen(let previous, let attempt) = try take(ledger, of: run, by: "b") else {
                Issue.record("it was not found unseen")
                return
            }
            #expect(previous.processGroup == 4711 && previous.processStart == "boot ns 12" && previous.host == "here")
            #expect((previous.remaining ?? 0) > 60_000)
            #expect(begun(try take(ledger, of: run, by: "b", lost: attempt))?.attempt == 2)
            guard case .elsewhere = try take(ledger, of: run, by: "c", lost: attempt) else {
                Issue.record("it was taken twice")
                return
            }
            #expect(try ledger.endHook(start, .passed, runner: "a") == false)
        }
    }

    /// Guarantee: a failing `before_run` ends its run as failed, with every job cancelled, in one transaction.
    @Test(arguments: Engine.all) func beforeRunEndsItsRun(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(Sample.names(3)))
            let start = try #require(begun(try take(ledger, of: run)))
            let verdict = RunHookVerdict.failed(code: 1, message: "no", output: nil)
            #expect(try ledger.endHook(start, verdict, runner: "a", stopReason: "before_run no"))
            let record = try #require(try ledger.run(run))
            #expect(record.status == .completed && record.outcome == .failed && record.stopReason == "before_run no")
            #expect(record.counts.cancelled == 3)
            #expect(try ledger.begin(Sample.names(3), runner: nil) != run)
        }
    }

    /// Guarantee: a run whose last hooks are due counts as open for who asks about them, until they are settled; a newer
    /// manifest that takes its place drops them and says of which runs.
    @Test(arguments: Engine.all) func dueHooksAreRemembered(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            func complete(_ identity: String, _ tenant: String) throws -> String {
                var draft = Sample.draft(identity)
                draft.hasFinalHooks = true
                let run = try #require(try ledger.startRun(draft, jobs: Sample.scope([tenant]), settled: 0)).id
                _ = try ledger.claimJobs(run: run, runner: "a", limit: 1)
                _ = try ledger.cancelRun(run, note: AuditNote(kind: "cancel_run", actor: "me", reason: ""))
                return run
            }
            let first = try complete("sha256:one", "a")
            #expect(try ledger.hasOpenRun("sha256:one") == false)
            #expect(try ledger.hasOpenRun("sha256:one", orDueHooks: true))
            #expect(try ledger.runsWithDueHooks("sha256:one") == [first])
            try ledger.settleHooks(of: first)
            #expect(try ledger.hasOpenRun("sha256:one", orDueHooks: true) == false)

            let second = try complete("sha256:two", "b")
            let newer = try #require(try ledger.begin(["c"], identity: "sha256:three", runner: nil))
            #expect(try ledger.closeRunsLeftBehind(by: Sample.draft("sha256:three"), run: newer) == [second])
            #expect(try ledger.runsWithDueHooks("sha256:two").isEmpty)
            #expect(try ledger.value("select count(*) from {}events where kind = 'hook_dropped'")?.integer == 1)
            #expect(try ledger.closeRunsLeftBehind(by: Sample.draft("sha256:three"), run: newer).isEmpty)
        }
    }

    /// Guarantee: in the places named, one job at a time is under way, whoever claims; in others as many as are asked for.
    @Test(arguments: Engine.all) func oneJobAtATime(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(Sample.names(5)))
            try ledger.addRunner("b", run: run, host: "here", pid: 1)
            let one = try ledger.claimJobs(run: run, runner: "a", limit: 32, oneAt: [0])
            #expect(one.count == 1)
            #expect(try ledger.claimJobs(run: run, runner: "b", limit: 32, oneAt: [0]).isEmpty)
            #expect(try ledger.write([Sample.result(one[0])], run: run, runner: "a", under: []).count == 1)
            #expect(try ledger.claimJobs(run: run, runner: "b", limit: 32, oneAt: [0]).count == 1)
            #expect(try ledger.claimJobs(run: run, runner: "a", limit: 32, oneAt: [1]).count == 3)
        }
    }
}
