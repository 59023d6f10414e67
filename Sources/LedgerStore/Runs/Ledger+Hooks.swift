package import DatabaseAccess
package import RunbookModel

/// Hooks around runs and tenants. One that ended well or badly is over; one whose end nobody saw is started again by
/// whoever comes next, once nothing of it is left.
extension Ledger {
    /// Begins a hook, or says why not. Of several runners one begins it.
    ///
    /// - Parameters:
    ///   - processStart: tells this runner's process from a later one with its number, until the hook's own is known.
    ///   - lost: the attempt that was found unseen, and of which nothing is left now.
    ///   - isRepeated: whether one that has ended is begun again: around a tenant it is, when the tenant is worked on anew.
    package func takeHook(
        _ hook: RunHook, of run: String, tenant: String = "", runner: String, host: String, limit: Duration,
        processStart: String? = nil, lost: Int? = nil, isRepeated: Bool = false
    ) throws(DatabaseError) -> HookTaking {
        try Failpoint.reach(.takeHook, .before)
        let taking = try writing { () throws(DatabaseError) -> HookTaking in
            let key: [DatabaseValue] = [.text(run), .text(hook.rawValue), .text(tenant)]
            let milliseconds =
                Int(limit.components.seconds) * 1000 + Int(limit.components.attoseconds / 1_000_000_000_000_000)
            let values = key + [.text(runner), .text(host), DatabaseValue(milliseconds), DatabaseValue(processStart)]
            let begun = try row(
                """
                insert into \(sql.hooks) (run_id, hook, tenant, state, attempt, runner, host, time_limit_ms,
                    process_start)
                values ($1, $2, $3, 'running', 1, $4, $5, $6, $7)
                on conflict (run_id, hook, tenant) do nothing returning attempt
                """, values)
            if begun != nil {
                try note(hook, run, tenant, "started", detail: nil, actor: runner)
                return .begun(HookStart(hook: hook, run: run, tenant: tenant, attempt: 1))
            }
            guard let found = try found(key) else { return .elsewhere }
            let state = found.record.state
            let isMine = found.previous.runner == runner
            if state == .running, !isMine, lost != found.record.attempts {
                return try found.previous.runner.map { runner throws(DatabaseError) in try isAlive(runner) } == true
                    ? .elsewhere : .unseen(found.previous, attempt: found.record.attempts)
            }
            if state.isFinal, !isRepeated { return .ended(found.record) }
            let again = try row(
                """
                update \(sql.hooks) set state = 'running', attempt = attempt + 1, runner = $4, host = $5,
                    time_limit_ms = $6, process_group = null, process_start = $7, exit_code = null, message = null,
                    output = null, started_at = \(sql.clock), finished_at = null
                where run_id = $1 and hook = $2 and tenant = $3
                returning attempt
                """, values)
            try note(
                hook, run, tenant, "started",
                detail: state == .running ? "again: the end of its last start was not seen" : nil, actor: runner)
            return .begun(HookStart(hook: hook, run: run, tenant: tenant, attempt: again?[0].integer ?? 1))
        }
        try Failpoint.reach(.takeHook, .after)
        return taking
    }

    /// Keeps the process group of a hook that has just been started; its time limit counts from now.
    package func note(group: Int32, processStart: String?, of start: HookStart, runner: String) throws(DatabaseError) {
        let spent = "\(sql.milliseconds(sql.clock)) - \(sql.milliseconds("started_at"))"
        try execute(
            """
            update \(sql.hooks) set process_group = $6, process_start = $7, time_limit_ms = time_limit_ms + (\(spent))
            where run_id = $1 and hook = $2 and tenant = $3 and attempt = $4 and runner = $5 and state = 'running'
            """,
            [
                .text(start.run), .text(start.hook.rawValue), .text(start.tenant), DatabaseValue(start.attempt),
                .text(runner), .integer(Int64(group)), DatabaseValue(processStart),
            ])
    }

    /// Writes how a hook ended. A `before_run` that failed ends its run in the same transaction, with nothing touched.
    ///
    /// - Returns: whether it was still this runner's.
    package func endHook(
        _ start: HookStart, _ verdict: RunHookVerdict, runner: String, stopReason: String? = nil
    ) throws(DatabaseError) -> Bool {
        try Failpoint.reach(.endHook, .before)
        let isMine = try writing { () throws(DatabaseError) -> Bool in
            if stopReason != nil { _ = try lock(start.run) }
            var state = HookState.succeeded
            var facts: (code: Int?, message: String?, output: String?) = (0, nil, nil)
            switch verdict {
            case .passed: break
            case .failed(let code, let message, let output):
                state = .failed
                facts = (code.map(Int.init), message.withoutNUL, output?.withoutNUL)
            case .interrupted:
                state = .interrupted
                facts.code = nil
            }
            let written = try result(
                of: """
                    update \(sql.hooks) set state = $6, exit_code = $7, message = $8, output = $9,
                        finished_at = \(sql.clock), process_group = null, process_start = null
                    where run_id = $1 and hook = $2 and tenant = $3 and attempt = $4 and runner = $5 and state = 'running'
                    """,
                [
                    .text(start.run), .text(start.hook.rawValue), .text(start.tenant), DatabaseValue(start.attempt),
                    .text(runner), .text(state.rawValue), DatabaseValue(facts.code), DatabaseValue(facts.message),
                    DatabaseValue(facts.output),
                ])
            guard written.rowsAffected == 1 else { return false }
            if start.tenant.isEmpty || state == .failed {
                try note(start.hook, start.run, start.tenant, state.rawValue, detail: facts.message, actor: runner)
            }
            if let stopReason, state == .failed { try fail(start.run, because: stopReason) }
            return true
        }
        try Failpoint.reach(.endHook, .after)
        return isMine
    }

    /// Notes that everything behind a run's end is done.
    package func settleHooks(of run: String) throws(DatabaseError) {
        try execute("update \(sql.runs) set hooks_due = false where id = $1", [.text(run)])
    }

    /// Complete runs of that identity whose last hooks are still to be started, oldest first.
    package func runsWithDueHooks(_ identity: String) throws(DatabaseError) -> [String] {
        try rows(
            """
            select id from \(sql.runs)
            where workspace = $1 and identity = $2 and hooks_due and status = 'completed' order by started_at, id
            """, [.text(workspace), .text(identity)]
        ).compactMap(\.[0].text)
    }

    /// The hooks around a run, and those around its tenants that failed.
    package func hooks(ofRun run: String) throws(DatabaseError) -> [HookReport] {
        try rows(
            """
            \(Self.hookColumns(sql)) from \(sql.hooks)
            where run_id = $1 and (tenant = '' or state = 'failed') order by started_at, hook, tenant
            """, [.text(run)]
        ).compactMap { Self.report($0, of: run) }
    }

    // MARK: Pieces

    /// Ends a run of which nothing was touched.
    private func fail(_ run: String, because reason: String) throws(DatabaseError) {
        try execute(
            "update \(sql.runs) set stop_reason = coalesce(stop_reason, $2) where id = $1",
            [.text(run), .text(reason)])
        try cancelQueued(run)
        _ = try complete(run, .failed)
    }

    private func found(_ key: [DatabaseValue]) throws(DatabaseError) -> (record: HookReport, previous: PreviousAttempt)?
    {
        // What is told to end has some seconds more.
        let margin = 10_000
        let spent = "\(sql.milliseconds(sql.clock)) - \(sql.milliseconds("started_at"))"
        let row = try row(
            """
            \(Self.hookColumns(sql)), runner, host, process_group, process_start, time_limit_ms + \(margin) - (\(spent))
            from \(sql.hooks) where run_id = $1 and hook = $2 and tenant = $3 \(sql.forUpdate)
            """, key)
        guard let row, let run = key[0].text, let record = Self.report(row, of: run) else { return nil }
        return (
            record,
            PreviousAttempt(
                state: .running, run: run, runner: row[8].text, host: row[9].text,
                processGroup: row[10].integer.map(Int32.init), processStart: row[11].text, remaining: row[12].integer)
        )
    }

    private static func hookColumns(_ sql: LedgerSQL) -> String {
        """
        select hook, tenant, state, attempt, exit_code, message, output,
            \(sql.milliseconds("finished_at")) - \(sql.milliseconds("started_at"))
        """
    }

    private static func report(_ row: DatabaseRow, of run: String) -> HookReport? {
        guard let hook = row[0].text.flatMap(RunHook.init), let state = row[2].text.flatMap(HookState.init) else {
            return nil
        }
        return HookReport(
            hook: hook, tenant: row[1].text.flatMap { $0.isEmpty ? nil : $0 }, state: state, exitCode: row[4].integer,
            message: row[5].text, output: row[6].text, attempts: row[3].integer ?? 1, durationMS: row[7].integer ?? 0,
            runID: run)
    }

    private func note(
        _ hook: RunHook, _ run: String, _ tenant: String, _ what: String, detail: String?, actor: String
    ) throws(DatabaseError) {
        // Of tenants only what failed: two more for each of them would be more than their jobs.
        guard tenant.isEmpty || what == HookState.failed.rawValue else { return }
        try execute(
            """
            insert into \(sql.events) (workspace, run_id, tenant, kind, actor, detail) values ($1, $2, $3, $4, $5, $6)
            """,
            [
                .text(workspace), .text(run), tenant.isEmpty ? .null : .text(tenant), .text("hook_\(what)"),
                .text("muster/\(actor)"), .text([hook.rawValue, detail].compactMap(\.self).joined(separator: ": ")),
            ])
    }
}
