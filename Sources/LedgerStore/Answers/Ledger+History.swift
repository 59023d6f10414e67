package import DatabaseAccess
import FoundationEssentials
package import RunbookModel

extension Ledger {
    /// Runs of the workspace, newest first.
    package func runs(limit: Int) throws(DatabaseError) -> [RunRecord] {
        let question = records(
            "where s.workspace = $1 order by s.started_at desc, s.run_id desc limit $2", [DatabaseValue(limit)])
        return try answer(to: question)
    }

    /// The run with that id, or nil.
    package func run(_ id: String) throws(DatabaseError) -> RunRecord? { try answer(to: record(ofRun: id)).first }

    /// The run with that id, as a list of one, or of none.
    package func record(ofRun id: String) -> LedgerQuestion<[RunRecord]> {
        records("where s.workspace = $1 and s.run_id = $2", [.text(id)])
    }

    /// The manifest before expansion, as the run has it.
    package func manifest(ofRun id: String) throws(DatabaseError) -> String? {
        try row("select manifest from \(sql.runs) where id = $1", [.text(id)])?[0].text
    }

    private func records(_ tail: String, _ parameters: [DatabaseValue]) -> LedgerQuestion<[RunRecord]> {
        LedgerQuestion(
            """
            select s.run_id, r.identity, s.workspace, s.phase, s.status, s.outcome,
                s.total, s.processed, s.succeeded, s.skipped, s.failed, s.blocked, s.unknown, s.cancelled,
                s.release, s.revision, r.manifest_digest, s.door, s.initiator_kind, s.initiator_name, s.initiator_url,
                \(sql.milliseconds("s.started_at")), \(sql.milliseconds("s.finished_at")), s.stop_reason,
                r.kind, r.undoes
            from \(sql.name("run_summary")) s join \(sql.runs) r on r.id = s.run_id \(tail)
            """, [.text(workspace)] + parameters
        ) { $0.map(Self.record) }
    }

    private static func record(_ row: DatabaseRow) -> RunRecord {
        var counts = JobCounts()
        counts.total = row[6].integer ?? 0
        counts.processed = row[7].integer ?? 0
        counts.succeeded = row[8].integer ?? 0
        counts.skipped = row[9].integer ?? 0
        counts.failed = row[10].integer ?? 0
        counts.blocked = row[11].integer ?? 0
        counts.unknown = row[12].integer ?? 0
        counts.cancelled = row[13].integer ?? 0
        return RunRecord(
            id: row[0].text ?? "", identity: row[1].text ?? "", workspace: row[2].text ?? "", phase: row[3].text,
            status: row[4].text.flatMap(RunStatus.init) ?? .running, outcome: row[5].text.flatMap(RunOutcome.init),
            counts: counts, release: row[14].text, revision: row[15].text, manifestDigest: row[16].text ?? "",
            door: row[17].text ?? "",
            initiator: Initiator(kind: row[18].text ?? "", name: row[19].text ?? "", url: row[20].text),
            startedAt: date(row[21]) ?? .distantPast, finishedAt: date(row[22]), stopReason: row[23].text,
            kind: row[24].text.flatMap(RunKind.init) ?? .apply, undoes: row[25].text)
    }

    /// Per identity, how the executions of one run ended, from its history.
    package func runbookSummaries(ofRun id: String) throws(DatabaseError) -> [Identity: Report.RunbookSummary] {
        try answer(to: summaries(ofRun: id))
    }

    package func summaries(ofRun id: String) -> LedgerQuestion<[Identity: Report.RunbookSummary]> {
        LedgerQuestion(
            """
            select runbook, key, max(checksum), state, count(case when nth = 1 then 1 end), sum(rows_affected),
                sum(duration_ms)
            from \(lastAttempts("$1")) a group by runbook, key, state
            """, [.text(id)]
        ) { rows in
            var summaries: [Identity: Report.RunbookSummary] = [:]
            for row in rows {
                let identity = Identity(runbook: row[0].text ?? "", key: row[1].text ?? "")
                var summary =
                    summaries[identity]
                    ?? Report.RunbookSummary(id: identity.runbook, key: identity.key, checksum: row[2].text ?? "")
                let state =
                    row[3].text == ExecutionState.rolledBack.rawValue ? .succeeded : row[3].text.flatMap(JobState.init)
                if let state { summary.counts.add(state, row[4].integer ?? 0) }
                summary.rowsAffected += row[5].integer ?? 0
                summary.durationMS += row[6].integer ?? 0
                summaries[identity] = summary
            }
            return summaries
        }
    }

    /// The attempts of a run, each with `nth`: 1 for the last of its identity and tenant.
    private func lastAttempts(_ run: String) -> String {
        """
        (select a.*, row_number() over (partition by a.tenant, a.runbook, a.key order by a.id desc) as nth
         from \(sql.attempts) a where a.run_id = \(run))
        """
    }

    /// What failed in one run and is not done since, in the order of its jobs; jobs blocked by a lock or a server last.
    ///
    /// It is read from the history: what is done with another body keeps its record, whatever comes.
    ///
    /// - Parameter hasHooks: whether a tenant may have failed before any of its runbooks ran.
    package func failures(ofRun id: String, hasHooks: Bool = false) throws(DatabaseError) -> [Failure] {
        var failures: [Failure] = []
        var texts: Set<String> = []
        try query(
            """
            select a.tenant, a.runbook, a.key,
                case when j.drifted and coalesce(e.state, x.state) in \(LedgerSQL.done) then 'drifted' else a.state end,
                a.clean, a.sqlstate, a.message, a.detail, a.hint, a.file, a.line, a.statement, a.attempt
            from \(lastAttempts("$2")) a join \(sql.jobs) j on j.run_id = a.run_id and j.tenant = a.tenant
            left join \(sql.executions) e on e.workspace = a.workspace and e.tenant = a.tenant
                and e.runbook = a.runbook and e.key = a.key
            left join \(sql.sealed) s on s.workspace = a.workspace and s.tenant = a.tenant
            left join \(sql.setMembers) x on x.set_id = s.set_id and x.runbook = a.runbook and x.key = a.key
            where a.workspace = $1 and a.nth = 1 and a.state in ('failed', 'unknown') and not coalesce(
                coalesce(e.state, x.state) in ('succeeded', 'baselined', 'rolled_back')
                    and coalesce(e.checksum, x.checksum) = a.checksum,
                false)
            order by j.position, a.id
            """, [.text(workspace), .text(id)]
        ) { row throws(DatabaseError) in failures.append(Self.failure(row).sharing(&texts)) }
        try query(
            """
            select tenant, message, attempt from \(sql.jobs)
            where run_id = $1 and state = 'blocked' and reason = 'lock' order by position
            """, [.text(id)]
        ) { row throws(DatabaseError) in
            let failure = Failure(
                tenant: Self.tenant(row[0]), runbook: nil, key: nil, state: "blocked", reason: .lock,
                message: row[1].text ?? "", attempts: row[2].integer ?? 0)
            failures.append(failure.sharing(&texts))
        }
        guard hasHooks else { return failures }
        try query(
            """
            select h.tenant, h.message, h.output, h.attempt from \(sql.hooks) h
            join \(sql.jobs) j on j.run_id = h.run_id and j.tenant = h.tenant and j.state = 'failed'
            where h.run_id = $1 and h.hook = 'before_tenant' and h.state = 'failed' order by j.position
            """, [.text(id)]
        ) { row throws(DatabaseError) in
            let failure = Failure(
                tenant: Self.tenant(row[0]), runbook: nil, key: nil, state: "failed", clean: true,
                message: row[1].text ?? "", detail: row[2].text, attempts: row[3].integer ?? 1)
            failures.append(failure.sharing(&texts))
        }
        return failures
    }

    /// What is failed or unknown in the whole workspace, for identities that a plan found in that state.
    package func standingFailures(limit: Int) throws(DatabaseError) -> [Failure] {
        try rows(
            """
            select tenant, runbook, key, state, clean, sqlstate, message, detail, hint, file, line, statement, attempt
            from \(sql.executions) where workspace = $1 and state in ('failed', 'unknown', 'running')
                and (state <> 'running' or batches is null)
            order by tenant, runbook, key limit $2
            """, [.text(workspace), DatabaseValue(limit)]
        ).map(Self.failure)
    }

    private static func failure(_ row: DatabaseRow) -> Failure {
        Failure(
            tenant: tenant(row[0]), runbook: row[1].text, key: row[2].text,
            state: row[3].text == "running" ? "unknown" : row[3].text ?? "failed", clean: row[4].boolean,
            sqlstate: row[5].text, message: row[6].text ?? "the end of its last attempt was not seen",
            detail: row[7].text, hint: row[8].text, file: row[9].text, line: row[10].integer, statement: row[11].text,
            attempts: row[12].integer ?? 0)
    }

    private static func tenant(_ value: DatabaseValue) -> String? { value.text.flatMap { $0.isEmpty ? nil : $0 } }

    static func date(_ milliseconds: DatabaseValue) -> Date? {
        milliseconds.integer.map { Date(timeIntervalSince1970: Double($0) / 1000) }
    }
}

extension Failure {
    /// The same with texts that failures before it have too: thousands of tenants fail alike, with one statement.
    fileprivate func sharing(_ texts: inout Set<String>) -> Failure {
        func shared(_ text: String?) -> String? {
            guard let text, text.utf8.count > 15 else { return text }
            if let index = texts.firstIndex(of: text) { return texts[index] }
            if texts.count < 10_000 { texts.insert(text) }
            return text
        }
        var failure = self
        failure.message = shared(message) ?? message
        (failure.runbook, failure.hint) = (shared(runbook), shared(hint))
        (failure.file, failure.statement) = (shared(file), shared(statement))
        return failure
    }
}
