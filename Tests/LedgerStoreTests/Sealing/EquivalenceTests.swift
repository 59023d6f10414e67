import DatabaseAccess
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// A ledger that is sealed again and again beside one that never is.
@Suite struct EquivalenceTests {
    /// What happens to a ledger; the same happens to both.
    private struct History {
        var dice: Dice
        var tenants = ["", "t0", "t1", "t2", "t3"]
        var runbooks: [Runbook] = []
        var round = 0

        /// How each identity would end in each tenant, in the order of the tenants.
        typealias Ends = [String: [ExecutionState]]

        mutating func deploy() -> Ends {
            round += 1
            tenants.append("t\(tenants.count - 1)")
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                runbooks.append(Sample.runbook("r\(runbooks.count)", onChange: .rerun))
            }
            if Bool.random(using: &dice) {
                runbooks[Int.random(in: runbooks.indices, using: &dice)].checksum = "sha256:\(round)"
            }
            let states: [ExecutionState] = [.succeeded, .succeeded, .succeeded, .succeeded, .failed, .unknown]
            return Dictionary(
                uniqueKeysWithValues: tenants.map { tenant in
                    (tenant, runbooks.map { _ in states.randomElement(using: &dice) ?? .failed })
                })
        }

        /// A person's change: where, and what of.
        mutating func change() -> (tenant: String, runbook: Int, state: ExecutionState) {
            let states: [ExecutionState] = [.succeeded, .rolledBack, .failed, .baselined]
            return (
                tenants.randomElement(using: &dice) ?? "", Int.random(in: runbooks.indices, using: &dice),
                states.randomElement(using: &dice) ?? .failed
            )
        }
    }

    /// One ledger, and its runs in their order: their ids are its own.
    private struct Subject {
        let ledger: Ledger
        var runs: [String] = []

        mutating func deploy(_ history: History, _ ends: History.Ends) throws {
            let runbooks = history.runbooks
            try ledger.remember(
                tenants: history.tenants.filter { !$0.isEmpty }.map { Tenant(id: $0) }, runbooks: runbooks)
            let identity = "sha256:\(history.round)"
            guard let run = try ledger.begin(history.tenants, runbooks, identity: identity, runner: nil) else { return }
            runs.append(run)
            let jobs = try ledger.claimJobs(run: run, runner: "a", limit: 100)
            let results = try jobs.map { job in
                let known = try ledger.records(of: job.tenant)
                let outcomes = zip(runbooks, ends[job.tenant] ?? []).compactMap { runbook, end -> ExecutionOutcome? in
                    let record = known[runbook.identity]?.execution
                    let isDone = record?.state.isDone == true && record?.checksum == runbook.checksum
                    return isDone ? nil : Sample.outcome(end, runbook)
                }
                let isDone = outcomes.allSatisfy { $0.state == .succeeded }
                return Sample.result(job, isDone ? .succeeded : .failed, outcomes)
            }
            #expect(try ledger.write(results, run: run, runner: "a") == jobs.count)
            #expect(try ledger.completeRun(run))
        }

        func change(_ tenant: String, _ runbook: Runbook, _ state: ExecutionState) throws -> [Identity] {
            let seen = try ledger.records(of: tenant)[runbook.identity]?.execution
            let change = RecordChange(runbook.identity, seen: seen, state: state, checksum: runbook.checksum)
            return try ledger.change(
                [change], tenant: tenant, note: AuditNote(kind: "test", actor: "me", reason: "because"))
        }

        /// Everything that can be asked, as text.
        func answers(_ history: History) throws -> [String] {
            var answers: [String] = []
            let scope = Sample.scope(history.tenants, history.runbooks)
            try ledger.reading { () throws(DatabaseError) in
                try ledger.forEachUnsettled(in: scope) { index, records throws(DatabaseError) in
                    // The attempts of what stands in a set are not counted there.
                    let known = records.executions.sorted { $0.key < $1.key }.map { index, record in
                        "\(index) \(record.state) \(record.clean, default: "-") \(record.checksum)"
                    }
                    answers.append("unsettled \(index): \(known)")
                }
                for tenant in history.tenants {
                    let records = try ledger.records(of: tenant).sorted { $0.key.runbook < $1.key.runbook }
                    answers.append("records \(tenant): \(records)")
                    answers.append("\(try ledger.recorded(tenant: tenant, identities: [history.runbooks[0].identity]))")
                }
                answers.append("states: \(try ledger.states(in: scope))")
                answers.append("undone: \(try ledger.countUnsettled(in: scope))")
                for run in runs {
                    answers.append("failures: \(try ledger.failures(ofRun: run))")
                    let summaries = try ledger.runbookSummaries(ofRun: run).sorted { $0.key.runbook < $1.key.runbook }
                    answers.append("summaries: \(summaries)")
                }
                answers.append("failed: \(try ledger.standingFailures(limit: 1000))")
            }
            for view in ["completed", "pending_by_tenant", "failures"] {
                let columns =
                    switch view {
                    case "completed": "completed_at is not null, run_id, checksum"
                    case "failures": "state, clean, attempt, message, run_id"
                    default: "phase, state"
                    }
                let rows = try ledger.values(
                    "select tenant, runbook, key, \(columns) from {}\(view) order by tenant, runbook, key")
                answers.append("\(view): \(rows)")
            }
            var named = answers.joined(separator: "\n")
            for (index, run) in runs.enumerated() { named = named.replacing(run, with: "run \(index)") }
            return named.split(separator: "\n").map(String.init)
        }
    }

    /// Guarantee: whatever happened, a sealed ledger answers every question as one that was never sealed.
    @Test(arguments: Engine.all, 1...4) func sealedLedgerAnswersAlike(_ engine: Engine, _ seed: UInt64) async throws {
        try await LedgerPlace.withLedger(engine) { first, _ in
            try await LedgerPlace.withLedger(engine) { second, _ in
                var sealed = Subject(ledger: first)
                var plain = Subject(ledger: second)
                var history = History(dice: Dice(state: seed))
                for round in 1...6 {
                    let ends = history.deploy()
                    try sealed.deploy(history, ends)
                    try plain.deploy(history, ends)
                    try compare(sealed, plain, history, "round \(round), before sealing")
                    try first.sealAll(limit: 3)
                    try compare(sealed, plain, history, "round \(round), sealed")
                    for _ in 0..<3 {
                        let (tenant, index, state) = history.change()
                        let runbook = history.runbooks[index]
                        let changed = try sealed.change(tenant, runbook, state)
                        #expect(try plain.change(tenant, runbook, state) == changed)
                    }
                    try compare(sealed, plain, history, "round \(round), changed")
                }
                #expect(try first.value("select count(*) from {}sealed")?.integer == history.tenants.count)
            }
        }
    }

    private func compare(_ sealed: Subject, _ plain: Subject, _ history: History, _ moment: String) throws {
        let (one, other) = (try sealed.answers(history), try plain.answers(history))
        #expect(one.count == other.count, "\(moment)")
        for (one, other) in zip(one, other) where one != other {
            Issue.record("\(moment): sealed \(one), plain \(other)")
        }
    }
}
