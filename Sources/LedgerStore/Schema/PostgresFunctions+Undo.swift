import RunbookModel

/// The rules of a claim that undoes, as SQL over `v_seen`; `UndoRule.decision` is the same in Swift.
///
/// They stand in the ledger's own functions and in the blocks that are sent to tenants' databases: what the ticket says
/// is a condition here, given as SQL.
struct UndoConditions {
    /// The body's checksum, an expression.
    var checksum: String
    var acceptsChange: String
    var takesBaselined: String
    var isBatch: String
    var isSQL: String
    var isRepeatable: String
    var isScript: String
    /// What a finished member of a set gets a row of its own with.
    var lift = ""
    /// How it is said that there is nothing to undo: a statement.
    var nothing = "raise exception 'done' using errcode = 'MU003';"

    var rules: String {
        """
            if v_seen.state in ('succeeded', 'baselined') then
                if v_seen.checksum <> \(checksum) and not (\(acceptsChange)) then
                    raise exception 'done with another body (%)', v_seen.checksum using errcode = 'MU006';
                elsif v_seen.state = 'baselined' and not (\(takesBaselined)) then
                    raise exception 'declared done by a person' using errcode = 'MU011';
                end if;
                \(lift)
            elsif v_seen.state in ('running', 'unknown') then
                if not (case when \(Self.isOfUndo) then \(isRepeatable) else \(isBatch) end) then
                    raise exception 'the end of its last attempt was not seen' using errcode = 'MU007';
                end if;
                if exists (
                    select 1 from pg_stat_activity a where a.pid = v_seen.backend_pid
                        and a.backend_start = v_seen.backend_start and a.pid <> pg_backend_pid()) then
                    raise exception 'the server still works on its last attempt' using errcode = 'MU001';
                end if;
            elsif v_seen.state = 'failed' and \(Self.isOfUndo) then
                if v_seen.clean is false and (\(isScript)) and not (\(isRepeatable)) then
                    raise exception 'its undo failed and left something behind' using errcode = 'MU007';
                end if;
            elsif v_seen.state = 'failed' and v_seen.clean is false and (\(isSQL)) then
                raise exception 'its last attempt failed and left something behind' using errcode = 'MU007';
            elsif v_seen.state = 'failed' and v_seen.clean is false and (\(isBatch)) then
                null;
            else
                \(nothing)
            end if;
        """
    }

    /// Whether what is on record was an attempt at undoing.
    static let isOfUndo = "v_seen.checksum like '\(RunbookUndo.mark)%'"
}

extension UndoRule {
    /// What the ledger's functions are told in the place of `on_change`, as words.
    var words: String {
        ["\(kind)", acceptsChange ? "accept" : nil, takesBaselined ? "baselined" : nil].compactMap(\.self)
            .joined(separator: " ")
    }
}

extension PostgresFunctions {
    private static func undoRules(isScript: String) -> String {
        UndoConditions(
            checksum: "p_checksum", acceptsChange: "p_policy like '%accept%'",
            takesBaselined: "p_policy like '%baselined%'", isBatch: "p_policy like 'batch%'",
            isSQL: "p_policy like 'sql%'", isRepeatable: "p_again", isScript: isScript,
            lift: "if v_seen.is_sealed then\n\(lift);\nend if;"
        ).rules
    }

    /// The claims of undos, and what they keep of themselves. A claim is the apply's but for the rules.
    static let undo = """

        \(examination("examine_undo", look + undoRules(isScript: "true")))

        \(claim("claim_undo", examine: "examine_undo"))

        create or replace function {s}.record_undo(
            p_token text, p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text,
            p_run text, p_runner text
        ) returns integer language plpgsql volatile
            set search_path = pg_catalog, pg_temp set enable_seqscan = off as $muster$
        declare
            v_marker text := current_setting('muster.claim', true);
            v_started timestamptz;
            v_now timestamptz := clock_timestamp();
        begin
            if v_marker is distinct from split_part(v_marker, ' ', 1) || ' ' || p_token then
                raise exception '\(ClaimState.hasLeft)'
                    using errcode = 'MU002';
            end if;
            v_started := to_timestamp(split_part(v_marker, ' ', 1)::float8);
            update {s}.executions e set
                state = 'rolled_back', clean = null, attempt = e.attempt + 1, checksum = p_checksum, run_id = p_run,
                runner = p_runner, started_at = v_started, finished_at = v_now, rows_affected = null, cursor = null,
                batches = null, sqlstate = null, message = null, detail = null, hint = null, file = null, line = null,
                statement = null
            where e.workspace = p_workspace and e.tenant = p_tenant and e.runbook = p_runbook and e.key = p_key
                and e.state <> 'rolled_back';
            if not found then
                raise exception 'done' using errcode = 'MU003';
            end if;
            return extract(epoch from v_now - v_started) * 1000;
        end
        $muster$;

        create or replace function {s}.begin_undo(
            p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text, p_policy text,
            p_again boolean, p_run text, p_runner text, p_job_attempt integer, p_host text, p_limit bigint, p_undo text
        ) returns integer language plpgsql volatile
            set search_path = pg_catalog, pg_temp set enable_seqscan = off as $muster$
        declare
            v_seen record;
            v_attempt integer;
        begin
        \(look)
        \(undoRules(isScript: "p_limit is null"))
            -- True while nothing of an undo has touched it: then it is still done when this one says that it did nothing.
            update {s}.executions e set
                state = 'running', clean = case when e.state = 'succeeded' then true end, attempt = e.attempt + 1,
                checksum = p_undo, run_id = p_run, runner = p_runner, started_at = clock_timestamp(),
                finished_at = null, rows_affected = null, cursor = null, batches = null, sqlstate = null,
                message = null, detail = null, hint = null, file = null, line = null, statement = null, host = p_host,
                process_group = null, process_start = null, time_limit_ms = p_limit, backend_pid = pg_backend_pid(),
                backend_start = (select backend_start from pg_stat_activity where pid = pg_backend_pid())
            where e.workspace = p_workspace and e.tenant = p_tenant and e.runbook = p_runbook and e.key = p_key
            returning e.attempt into v_attempt;
            return v_attempt;
        end
        $muster$;

        create or replace function {s}.end_undo(
            p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text, p_runner text,
            p_attempt integer, p_state text, p_clean boolean, p_tenant_key bigint
        ) returns boolean language plpgsql volatile
            set search_path = pg_catalog, pg_temp set enable_seqscan = off as $muster$
        declare
            v_held boolean;
        begin
            \(isHeld)
            update {s}.executions set
                state = case when not v_held then 'unknown' when p_clean and clean then 'succeeded' else p_state end,
                checksum = case when v_held and p_clean and clean then p_checksum else checksum end,
                clean = case when v_held and p_state = 'failed' and (p_clean and clean) is not true then false end,
                finished_at = clock_timestamp(),
                backend_pid = null, backend_start = null, process_group = null, process_start = null,
                time_limit_ms = null
            where workspace = p_workspace and tenant = p_tenant and runbook = p_runbook and key = p_key
              and state = 'running' and runner = p_runner and attempt = p_attempt;
            if not found then
                raise exception 'another runner has taken over this execution' using errcode = 'MU004';
            end if;
            return v_held;
        end
        $muster$;
        """
}
