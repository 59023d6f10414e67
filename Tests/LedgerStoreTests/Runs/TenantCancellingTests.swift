import DatabaseAccess
import RunbookModel
import TestSupport
import Testing

@testable import LedgerStore

@Suite struct TenantCancellingTests {
    private static let note = AuditNote(kind: "cancel_tenant", actor: "octo", reason: "its disk is full")

    private func states(_ ledger: Ledger, _ run: String) throws -> [String] {
        try ledger.values("select tenant, state from {}jobs where run_id = '\(run)' order by tenant")
            .map { "\($0[0].text ?? "") \($0[1].text ?? "")" }
    }

    /// Guarantee: what had not begun is cancelled, what is under way may end, what ended stays; the run goes on with the
    /// others. Each has an event with who and why, and a second cancel adds nothing.
    @Test(arguments: Engine.all) func someTenantsAreCancelled(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u", "v", "w"]))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 2)
            #expect(try ledger.write([Sample.result(jobs[0])], run: run, runner: "a") == 1)

            let first = try ledger.cancel(["t", "u", "v", "x"], of: run, note: Self.note)

            #expect(
                first?.before == [
                    .init(tenant: "t", state: .succeeded), .init(tenant: "u", state: .running),
                    .init(tenant: "v", state: .queued),
                ])
            #expect(first?.wasOpen == true)
            #expect(first?.runners == 1)
            #expect(try states(ledger, run) == ["t succeeded", "u running", "v cancelled", "w queued"])
            let note = "cancelled by octo: its disk is full"
            #expect(try ledger.cancelledTenants(of: run, runner: "a") == ["u": note])
            #expect(try ledger.cancelledTenants(of: run, runner: "b") == [:])
            #expect(try ledger.answer(to: ledger.cancelNotes(ofRun: run)).map(\.note) == [note])
            let events = "select tenant, kind, actor, reason, detail from {}events where run_id = '\(run)' order by id"
            let kept = try ledger.values(events)
            #expect(
                kept == [
                    [.text("u"), .text("cancel_tenant"), .text("octo"), .text("its disk is full"), .text("running")],
                    [.text("v"), .text("cancel_tenant"), .text("octo"), .text("its disk is full"), .text("queued")],
                ])

            let second = try ledger.cancel(["u", "v"], of: run, note: Self.note)
            #expect(second?.before.map(\.state) == [.running, .cancelled])
            #expect(try ledger.values(events) == kept)

            #expect(try ledger.write([Sample.result(jobs[1])], run: run, runner: "a") == 1)
            let rest = try ledger.claimJobs(run: run, runner: "a", limit: 9)
            #expect(rest.map(\.tenant) == ["w"])
            #expect(try ledger.write(rest.map { Sample.result($0) }, run: run, runner: "a") == 1)
            #expect(try ledger.completeRun(run))
            let record = try #require(try ledger.run(run))
            #expect(record.outcome == .partiallySucceeded)
            #expect(record.counts.succeeded == 3)
            #expect(record.counts.cancelled == 1)
            #expect(record.stopReason == nil)
            #expect(try ledger.cancel(["v"], of: run, note: Self.note)?.wasOpen == false)
            #expect(try ledger.unfinished(ofRun: run)?.tenants == ["v"])
        }
    }

    /// Guarantee: a run in which nothing else is open is completed in the same act.
    @Test(arguments: Engine.all) func lastTenantsEndTheRun(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u"]))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 1)
            #expect(try ledger.write([Sample.result(jobs[0])], run: run, runner: "a") == 1)
            _ = try ledger.cancel(["u"], of: run, note: Self.note)
            let record = try #require(try ledger.run(run))
            #expect(record.status == .completed)
            #expect(record.outcome == .partiallySucceeded)
            let none = try ledger.cancel(["t"], of: "01J", note: Self.note)
            #expect(none == nil)
        }
    }

    /// Guarantee: a tenant that was cancelled while it was under way does not begin again: not in the next stage, not
    /// after its runner said goodbye, and not after it fell silent.
    @Test(arguments: Engine.all, [0, 1, 2]) func whatComesBackIsCancelled(_ engine: Engine, _ way: Int) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let run = try #require(try ledger.begin(["t", "u"], stages: 2))
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 2)
            _ = try ledger.cancel(["t"], of: run, note: Self.note)
            switch way {
            case 0:
                let results = jobs.map { JobResult(job: $0, state: .queued, nextStage: 1) }
                #expect(try ledger.write(results, run: run, runner: "a") == 2)
                try ledger.advanceRun(run, past: 0)
                // The border behind the stage is passed by all or by none.
                #expect(try states(ledger, run) == ["t cancelled", "u blocked"])
            case 1:
                // Given back by itself, as a runner that does not know yet does.
                let back = JobResult(job: jobs[0], state: .queued)
                #expect(try ledger.write([back], run: run, runner: "a") == 1)
                // At once, so that no other runner takes it.
                #expect(try states(ledger, run) == ["t cancelled", "u running"])
                try ledger.endRunner("a", run: run)
                #expect(try states(ledger, run) == ["t cancelled", "u queued"])
            default:
                try ledger.change("update {}runners set ended_at = started_at where id = 'a'")
                #expect(try ledger.releaseSilentRunners(of: run) == 2)
                #expect(try states(ledger, run) == ["t cancelled", "u queued"])
            }
            let notes = try ledger.answer(to: ledger.cancelNotes(ofRun: run))
            #expect(notes.map(\.note) == ["cancelled by octo: its disk is full"])
            let endless = "select count(*) from {}jobs where finished_at is null and state = 'cancelled'"
            #expect(try ledger.value(endless) == .integer(0))
        }
    }

    /// Guarantee: whom a selection means is told from what the ledger saw last; a name or label that nobody has is
    /// refused with the nearest.
    @Test(arguments: Engine.all) func selectionIsOfSeenTenants(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, _ in
            let tenants = [("acme", "trial"), ("bolt", "paid"), ("core", "trial")].map {
                Tenant(id: $0.0, labels: ["plan": $0.1])
            }
            try ledger.remember(tenants: tenants, runbooks: [])
            let run = try #require(try ledger.begin(["acme", "late"]))
            let seen = try ledger.seenTenants(ofRun: run, withLabels: true)
            #expect(try seen.selected(by: Selection(match: ["plan": ["trial"]])) == ["acme", "core"])
            #expect(try seen.selected(by: Selection(tenants: ["late", "bolt"])) == ["bolt", "late"])
            #expect(
                try seen.selected(by: Selection(match: ["plan": ["trial"]], skippedTenants: ["core"])) == ["acme"])
            let slips: [(Selection, String)] = [
                (Selection(tenants: ["acne"]), #"--tenant "acne": there is no such tenant; did you mean "acme"?"#),
                (Selection(match: ["plann": ["x"]]), "--match plann: no tenant has this label; did you mean plan?"),
                (Selection(skippedTenants: ["zzzzzz"]), "muster tenants lists them"),
            ]
            for (selection, text) in slips {
                let problem = #expect(throws: TenantSetError.self) { try seen.selected(by: selection) }
                #expect(problem.map { "\($0)" }?.contains(text) == true, "\(String(describing: problem))")
            }
        }
    }

    /// Guarantee: cancelling tenants while eight runners claim, write and say goodbye deadlocks nobody, and every job
    /// ends.
    @Test(.needsPostgres) func besideWritersItDeadlocksNobody() async throws {
        try await LedgerPlace.withLedger(.postgresql) { ledger, place in
            let names = Sample.names(400)
            let run = try #require(try ledger.begin(names, runner: nil))
            _ = try await Threads.run(11) { number in
                let own = try place.open()
                defer { own.session.close() }
                guard number < 8 else {
                    for part in 0..<4 {
                        let some = names.enumerated().filter { $0.offset % 12 == (number - 8) * 4 + part }.map(
                            \.element)
                        _ = try own.cancel(some, of: run, note: Self.note)
                    }
                    return 0
                }
                try own.addRunner("r\(number)", run: run, host: "here", pid: 1)
                while true {
                    var jobs = try own.claimJobs(run: run, runner: "r\(number)", limit: 16)
                    if jobs.isEmpty { break }
                    if number.isMultiple(of: 2) { jobs.reverse() }
                    _ = try own.write(
                        jobs.dropLast().map { Sample.result($0, .failed) }, run: run, runner: "r\(number)")
                    try own.endRunner("r\(number)", run: run)
                }
                return 0
            }
            let open = try ledger.value("select count(*) from {}jobs where state in ('queued', 'running')")
            #expect(open == .integer(0))
            let twice = try ledger.value(
                "select count(*) from (select tenant from {}events group by tenant having count(*) > 1) q")
            #expect(twice == .integer(0))
        }
    }
}
