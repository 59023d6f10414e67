package import DatabaseAccess
package import RunbookModel

/// The statements that claim and record in PostgreSQL, as text for the message that carries the script.
///
/// In the ledger's own database the execution row is the receipt and functions of the ledger do the work; elsewhere
/// `receipts` in the tenant's database is, and DO blocks with the same rules stand in their place.
package struct PostgresReceipts: Sendable {
    package let sql: LedgerSQL
    /// Whether the tenant lives in the ledger's database.
    package let isLocal: Bool

    package init(sql: LedgerSQL, isLocal: Bool) {
        self.sql = sql
        self.isLocal = isLocal
    }

    var receipts: String { sql.name("receipts") }

    /// Whether the ledger of a run under way is in the session's database: it alone knows the run's runner.
    ///
    /// Nothing about the server would tell: its start changes while a run goes on, and a copy keeps its numbers. A wrong
    /// answer would look for receipts in the wrong place.
    package static func isBesideLedger(
        _ session: any DatabaseSession, _ sql: LedgerSQL, runner: String
    ) throws(DatabaseError) -> Bool {
        let runners = sql.name("runners")
        let exists = try session.row("SELECT pg_catalog.to_regclass($1) IS NOT NULL", [.text(runners)])
        guard exists?[0].boolean == true else { return false }
        return try session.row("SELECT \(isBesideLedger(sql, "$1"))", [.text(runner)])?[0].boolean == true
    }

    /// The question itself, an expression; only for a database that has a ledger.
    package static func isBesideLedger(_ sql: LedgerSQL, _ runner: String) -> String {
        "EXISTS (SELECT FROM \(sql.name("runners")) WHERE id OPERATOR(pg_catalog.=) \(runner)::pg_catalog.text)"
    }

    /// Locks, fence, re-read, marker: to be sent inside the transaction, before anything of the tenant's.
    ///
    /// - Parameter scene: what the ledger's own claim shall set and look at as well; a block of statements leaves it to
    ///   its caller.
    /// - Returns: how many statements the text holds, and the text.
    package func claim(
        _ ticket: ClaimTicket, setting scene: ClaimScene? = nil
    ) throws(DatabaseError) -> (statements: Int, text: String) {
        if isLocal {
            let keys = "\(ticket.gateKey), \(ticket.workspaceKey), \(ticket.tenantKey)"
            let given =
                try scene.map { scene throws(DatabaseError) in
                    ", \(ticket.mayBeSealed), " + (try scene.arguments)
                } ?? ""
            return (
                1,
                "SELECT \(sql.name(ticket.undoes == nil ? "claim" : "claim_undo"))(\(try literal(ticket.token)), \(try common(ticket)), \(keys)\(given));"
            )
        }
        let body = """
            DECLARE
                v_seen record;
                v_found text;
            BEGIN
                IF NOT pg_try_advisory_lock_shared(\(ticket.gateKey)) THEN
                    RAISE EXCEPTION 'the workspace is reserved' USING errcode = 'MU001';
                END IF;
                PERFORM pg_advisory_unlock_shared(\(ticket.gateKey));
                IF NOT pg_try_advisory_xact_lock_shared(\(ticket.workspaceKey))
                    OR NOT pg_try_advisory_xact_lock(\(ticket.tenantKey)) THEN
                    RAISE EXCEPTION '\(ClaimState.isBusy)' USING errcode = 'MU001';
                END IF;
                \(try survey(ticket))
                \(try examine(ticket))
                PERFORM set_config('muster.claim',
                    concat(extract(epoch from clock_timestamp()), \(try literal(" " + ticket.token))), true);
                -- As in the ledger's own claim: what the message has answered so far is sent now.
                IF clock_timestamp() > statement_timestamp() + interval '100 milliseconds' THEN
                    RAISE INFO 'muster: next runbook';
                END IF;
            END
            """
        // A target that names no schema has the connection's own path: DEFAULT is what the session began with.
        return (
            3,
            "SET LOCAL search_path = pg_catalog, pg_temp;\nDO \(try literal(body));\nSET LOCAL search_path TO DEFAULT;"
        )
    }

    /// Proof and receipt: to be sent behind the script, under the session's own role and `pg_catalog` as its path.
    ///
    /// - Parameter isNew: whether the claim has seen that nothing is on record of it, as a kept claim has; it ends with
    ///   23505 when that was not the whole truth.
    /// - Returns: how many statements the text holds, and the text. The last one's row has the milliseconds since the
    ///   claim.
    package func record(
        _ ticket: ClaimTicket, isNew: Bool = false
    ) throws(DatabaseError) -> (statements: Int, text: String) {
        if isLocal {
            let (name, more) = ticket.undoes == nil ? ("record", ", \(isNew)") : ("record_undo", "")
            let text = """
                SELECT \(sql.name(name))(\(try literal(ticket.token)), \
                \(try literal(ticket.workspace)), \
                \(try literal(ticket.tenant)), \(try literal(ticket.identity.runbook)), \
                \(try literal(ticket.identity.key)), \(try literal(ticket.recordedChecksum)), \(try literal(ticket.run)), \
                \(try literal(ticket.runner))\(more));
                """
            return (1, text)
        }
        let body = """
            BEGIN
                IF current_setting('muster.claim', true) IS DISTINCT FROM concat(
                    split_part(current_setting('muster.claim', true), ' ', 1), \(try literal(" " + ticket.token))) THEN
                    RAISE EXCEPTION '\(ClaimState.hasLeft)'
                        USING errcode = 'MU002';
                END IF;
                \(try upsert(
                    ticket, state: ticket.aim.rawValue, started: "to_timestamp(\(Self.claimed))", finished: "clock_timestamp()"))
                IF NOT FOUND THEN RAISE EXCEPTION 'done' USING errcode = 'MU003'; END IF;
            END
            """
        return (
            2,
            """
            DO \(try literal(body));
            SELECT ((extract(epoch from clock_timestamp()) - \(Self.claimed)) * 1000)::int4;
            """
        )
    }

    /// Fence, re-read and the `running` receipt, committed before work that cannot be transactional. The session lock
    /// must be held already. A message; the result at index 2 has the attempt where the ledger counts it.
    package func begin(_ ticket: ClaimTicket) throws(DatabaseError) -> String {
        let work: String
        if isLocal {
            let given = "\(try common(ticket)), \(try literal(ticket.host)), \(limit(ticket))"
            work =
                ticket.undoes == nil
                ? "SELECT \(sql.name("begin_attempt"))(\(given))"
                : "SELECT \(sql.name("begin_undo"))(\(given), \(try literal(ticket.recordedChecksum)))"
        } else {
            let body = """
                DECLARE
                    v_seen record;
                    v_found text;
                BEGIN
                    \(try survey(ticket))
                    \(try examine(ticket))
                    \(try upsert(ticket, state: "running", started: "now()", finished: "NULL"))
                END
                """
            work = "DO \(try literal(body))"
        }
        return enclosed(work)
    }

    /// The end of what `begin` began. A message; the row of the result at index 2 says whether the lock was still held:
    /// if it was not, the state became `unknown`. No row: another runner has taken over.
    ///
    /// - Parameter attempt: what `begin` answered; only the ledger's own rows need it.
    package func end(
        _ ticket: ClaimTicket, attempt: Int, state: ExecutionState, clean: Bool?
    ) throws(DatabaseError) -> String {
        if ticket.undoes != nil { return enclosed(try endOfUndo(ticket, attempt: attempt, state: state, clean: clean)) }
        let cleanText = clean.map(String.init) ?? "NULL"
        if isLocal {
            return enclosed(
                """
                SELECT \(sql.name("end_attempt"))(\(try literal(ticket.workspace)), \(try literal(ticket.tenant)), \
                \(try literal(ticket.identity.runbook)), \(try literal(ticket.identity.key)), \
                \(try literal(ticket.runner)), \(attempt), \(try literal(state.rawValue)), \(cleanText), \
                \(ticket.tenantKey))
                """)
        }
        return enclosed(
            """
            \(held(ticket))
            UPDATE \(receipts) SET
                state = CASE WHEN lock.held THEN \(try literal(state.rawValue)) ELSE 'unknown' END,
                clean = CASE WHEN lock.held THEN \(cleanText)::pg_catalog.bool END,
                finished_at = clock_timestamp(), backend_pid = NULL, backend_start = NULL, process_group = NULL,
                process_start = NULL, time_limit_ms = NULL
            FROM lock
            WHERE workspace = \(try literal(ticket.workspace)) AND holder = \(try literal(ticket.holder))
              AND runbook = \(try literal(ticket.identity.runbook)) AND key = \(try literal(ticket.identity.key))
              AND state = 'running' AND runner = \(try literal(ticket.runner)) AND fence = \(ticket.job.fence)
            RETURNING lock.held
            """)
    }

    /// Whether the session still holds the tenant's lock, as `lock(held)`.
    func held(_ ticket: ClaimTicket) -> String {
        """
        WITH lock AS (
            SELECT count(*) > 0 AS held FROM pg_locks l
            WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted AND l.objsubid = 1
              AND l.mode = 'ExclusiveLock'
              AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
              AND (l.classid::bigint << 32) | l.objid::bigint = \(ticket.tenantKey))
        """
    }

    /// One transaction of our own under a search_path in which nobody else's objects answer.
    private func enclosed(_ work: String) -> String {
        "\(sql.begin); SET LOCAL search_path = pg_catalog, pg_temp; \(work); COMMIT"
    }

    /// Makes the table of receipts where it is missing, in one message. Several runners may come at once: a duplicate is
    /// no error.
    ///
    /// - Parameter found: what was seen there; nil: not asked yet.
    package func ensureTable(in session: any DatabaseSession, found: Presence? = nil) throws(DatabaseError) {
        guard !isLocal else { return }
        var known = found
        for _ in 0..<20 {
            let presence: Presence
            if let known { presence = known } else { presence = try Presence.of(session, sql) }
            if presence.table { return }
            known = nil
            var parts = [sql.begin] + sql.ownPath + ["SET LOCAL client_min_messages = warning"]
            // `IF NOT EXISTS` would ask for the right to create schemas where there is nothing to create.
            if !presence.schema { parts.append("CREATE SCHEMA \(sql.schema)") }
            parts += [postgresReceiptsDDL(sql), "COMMIT"]
            do throws(DatabaseError) {
                try Failpoint.reach(.receiptsTable, .before)
                try session.run(parts.joined(separator: ";\n"))
                try Failpoint.reach(.receiptsTable, .after)
                return
            } catch {
                if session.isUsable, session.isInTransaction { try session.rollback() }
                guard ["23505", "42P06", "42P07", "42710", "40P01"].contains(error.sqlState) else { throw error }
            }
        }
        throw DatabaseError(.statement, "the table \(receipts) could not be made: others keep interfering")
    }

    // MARK: Pieces

    /// When the claim set its marker, in seconds since 1970.
    static let claimed = "split_part(current_setting('muster.claim'), ' ', 1)::float8"

    private func limit(_ ticket: ClaimTicket) -> String { ticket.timeLimit.map(String.init) ?? "NULL" }

    func literal(_ text: String) throws(DatabaseError) -> String { try PostgresText.quoteLiteral(text) }

    private func common(_ ticket: ClaimTicket) throws(DatabaseError) -> String {
        """
        \(try literal(ticket.workspace)), \(try literal(ticket.tenant)), \(try literal(ticket.identity.runbook)), \
        \(try literal(ticket.identity.key)), \(try literal(ticket.checksum)), \
        \(try literal(ticket.rule)), \(ticket.mayRepeat), \(try literal(ticket.run)), \
        \(try literal(ticket.runner)), \(ticket.job.attempt)
        """
    }

    /// The rules of the ledger's `claim`, over a receipt. Operators and functions are resolved in pg_catalog: the block
    /// runs under a search_path of our own.
    private func examine(_ ticket: ClaimTicket) throws(DatabaseError) -> String {
        let look = """
            SELECT state, clean, checksum, fence, tenant, run_id, backend_pid, backend_start INTO v_seen FROM \(receipts)
                WHERE workspace = \(try literal(ticket.workspace)) AND holder = \(try literal(ticket.holder))
                  AND runbook = \(try literal(ticket.identity.runbook)) AND key = \(try literal(ticket.identity.key));
            IF v_seen.tenant <> \(try literal(ticket.tenant)) THEN
                RAISE EXCEPTION 'the receipt stands under the name of tenant %', v_seen.tenant USING errcode = 'MU008';
            END IF;

            """
        if let rule = ticket.undoes { return look + (try examine(ticket, undoing: rule)) }
        return look + """
            IF v_seen.state IN ('succeeded', 'baselined') THEN
                IF v_seen.checksum = \(try literal(ticket.checksum)) OR \(ticket.policy == .accept) THEN
                    IF v_seen.run_id = \(try literal(ticket.run)) THEN
                        RAISE EXCEPTION 'done in this run' USING errcode = 'MU010';
                    END IF;
                    RAISE EXCEPTION 'done' USING errcode = 'MU003';
                ELSIF \(ticket.policy == .fail) THEN
                    RAISE EXCEPTION 'done with another body (%)', v_seen.checksum USING errcode = 'MU006';
                END IF;
            END IF;
            IF v_seen.fence > \(ticket.job.fence) THEN
                RAISE EXCEPTION '\(ClaimState.isSuperseded)' USING errcode = 'MU004';
            ELSIF v_seen.state IN ('running', 'unknown') THEN
                IF NOT \(ticket.mayRepeat) OR \(UndoConditions.isOfUndo) THEN
                    RAISE EXCEPTION 'the end of its last attempt was not seen' USING errcode = 'MU007';
                END IF;
                -- By itself: what is never met is never planned, and this view would cost the most of all here.
                IF EXISTS (
                    SELECT 1 FROM pg_stat_activity a WHERE a.pid = v_seen.backend_pid
                        AND a.backend_start = v_seen.backend_start AND a.pid <> pg_backend_pid()) THEN
                    RAISE EXCEPTION 'the server still works on its last attempt' USING errcode = 'MU001';
                END IF;
            ELSIF v_seen.state = 'failed' AND v_seen.clean IS FALSE
                AND (\(ticket.isScript && !ticket.mayRepeat) OR \(UndoConditions.isOfUndo)) THEN
                RAISE EXCEPTION 'its last attempt failed and left something behind' USING errcode = 'MU007';
            END IF;
            """
    }

    private func upsert(
        _ ticket: ClaimTicket, state: String, started: String, finished: String
    ) throws(DatabaseError) -> String {
        let isUndo = ticket.undoes != nil
        let isOpen =
            state == "running" || isUndo
            ? "true" : "r.state NOT IN ('succeeded', 'baselined') OR r.checksum <> excluded.checksum"
        return """
            \(try insertion(ticket, state: state, started: started, finished: finished))
            ON CONFLICT (workspace, holder, runbook, key) DO UPDATE SET
                state = excluded.state, clean = \(isUndo ? Self.wholeBefore(state) : "NULL"),
                tenant = excluded.tenant, attempt = r.attempt + 1, fence = excluded.fence,
                checksum = excluded.checksum, run_id = excluded.run_id, runner = excluded.runner,
                started_at = excluded.started_at, finished_at = excluded.finished_at,
                backend_pid = excluded.backend_pid, backend_start = excluded.backend_start, host = excluded.host,
                process_group = NULL, process_start = NULL, time_limit_ms = excluded.time_limit_ms\(isUndo ? ", cursor = NULL, rows_affected = NULL" : "")
            WHERE \(isOpen);
            """
    }

    func insertion(
        _ ticket: ClaimTicket, attempt: String = "1", state: String, started: String, finished: String
    ) throws(DatabaseError) -> String {
        // Only what can be found running is looked for.
        let backend =
            state == "running"
            ? "(SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid())" : "NULL"
        return """
            INSERT INTO \(receipts) AS r (workspace, holder, tenant, runbook, key, state, attempt, fence, checksum,
                run_id, runner, started_at, finished_at, backend_pid, backend_start, host, time_limit_ms)
            VALUES (\(try literal(ticket.workspace)), \(try literal(ticket.holder)), \(try literal(ticket.tenant)),
                \(try literal(ticket.identity.runbook)), \(try literal(ticket.identity.key)), '\(state)', \(attempt),
                \(ticket.job.fence), \(try literal(ticket.recordedChecksum)), \(try literal(ticket.run)),
                \(try literal(ticket.runner)), \(started), \(finished), pg_backend_pid(),
                \(backend),
                \(try literal(ticket.host)), \(limit(ticket)))
            """
    }
}
