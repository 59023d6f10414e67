/// The functions of the ledger in PostgreSQL. They are replaced at every upgrade; `{s}` stands for the quoted schema.
///
/// Each is VOLATILE plpgsql, so that every statement in it sees what was committed before that statement: the lock is
/// taken in one, the ledger is read in a later one. SQLSTATEs: MU001 busy, MU002 the script left the claim's
/// transaction, MU003 done, MU004 superseded, MU006 drift, MU007 its last end was not seen.
enum PostgresFunctions {
    /// Fence and re-read. Needs the parameters of `claim` and the variable `v_seen`.
    ///
    /// - Parameter isScript: SQL that is true for a script; what a hook left behind is the hook's business.
    private static func examine(isScript: String) -> String {
        """
            perform 1 from {s}.jobs j join {s}.runs r on r.id = j.run_id
                where j.run_id = p_run and j.tenant = p_tenant and j.state = 'running' and j.runner = p_runner
                  and j.attempt = p_job_attempt and r.status <> 'completed';
            if not found then
                raise exception 'another runner has taken over this job' using errcode = 'MU004';
            end if;
            select state, clean, checksum, attempt, backend_pid, backend_start into v_seen from {s}.executions
                where workspace = p_workspace and tenant = p_tenant and runbook = p_runbook and key = p_key;
            if v_seen.state in ('succeeded', 'baselined') then
                if v_seen.checksum = p_checksum or p_policy = 'accept' then
                    raise exception 'done' using errcode = 'MU003';
                elsif p_policy = 'fail' then
                    raise exception 'done with another body (%)', v_seen.checksum using errcode = 'MU006';
                end if;
            elsif v_seen.state in ('running', 'unknown') and not p_again then
                raise exception 'the end of its last attempt was not seen' using errcode = 'MU007';
            elsif v_seen.state in ('running', 'unknown') and exists (
                select 1 from pg_stat_activity a where a.pid = v_seen.backend_pid
                    and a.backend_start = v_seen.backend_start and a.pid <> pg_backend_pid()) then
                raise exception 'the server still works on its last attempt' using errcode = 'MU001';
            elsif v_seen.state = 'failed' and v_seen.clean is false and \(isScript) and not p_again then
                raise exception 'its last attempt failed and left something behind' using errcode = 'MU007';
            end if;
        """
    }

    static let all = """
        create or replace function {s}.claim(
            p_token text, p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text, p_policy text,
            p_again boolean, p_run text, p_runner text, p_job_attempt integer,
            p_gate bigint, p_workspace_key bigint, p_tenant_key bigint
        ) returns void language plpgsql volatile set search_path = pg_catalog, pg_temp as $muster$
        declare
            v_seen record;
        begin
            if not pg_try_advisory_lock_shared(p_gate) then
                raise exception 'the workspace is reserved' using errcode = 'MU001';
            end if;
            perform pg_advisory_unlock_shared(p_gate);
            if not pg_try_advisory_xact_lock_shared(p_workspace_key)
                or not pg_try_advisory_xact_lock(p_tenant_key) then
                raise exception 'the lock is held by somebody else' using errcode = 'MU001';
            end if;
        \(examine(isScript: "true"))
            perform set_config('muster.claim', p_token, true);
        end
        $muster$;

        create or replace function {s}.record(
            p_token text, p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text,
            p_run text, p_runner text
        ) returns void language plpgsql volatile set search_path = pg_catalog, pg_temp as $muster$
        begin
            if current_setting('muster.claim', true) is distinct from p_token then
                raise exception 'the script ended the transaction it ran in, or reset all settings'
                    using errcode = 'MU002';
            end if;
            insert into {s}.executions as e (
                workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner, started_at, finished_at)
            values (p_workspace, p_tenant, p_runbook, p_key, 'succeeded', 1, p_checksum, p_run, p_runner,
                now(), clock_timestamp())
            on conflict (workspace, tenant, runbook, key) do update set
                state = 'succeeded', clean = null, attempt = e.attempt + 1, checksum = excluded.checksum,
                run_id = excluded.run_id, runner = excluded.runner, started_at = excluded.started_at,
                finished_at = excluded.finished_at, rows_affected = null, sqlstate = null, message = null,
                detail = null, hint = null, file = null, line = null, statement = null
            where e.state not in ('succeeded', 'baselined') or e.checksum <> excluded.checksum;
            if not found then
                raise exception 'done' using errcode = 'MU003';
            end if;
        end
        $muster$;

        create or replace function {s}.begin_attempt(
            p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text, p_policy text,
            p_again boolean, p_run text, p_runner text, p_job_attempt integer, p_host text, p_limit bigint
        ) returns integer language plpgsql volatile set search_path = pg_catalog, pg_temp as $muster$
        declare
            v_seen record;
            v_attempt integer;
        begin
        \(examine(isScript: "p_limit is null"))
            insert into {s}.executions as e (
                workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner, started_at,
                host, time_limit_ms, backend_pid, backend_start)
            values (p_workspace, p_tenant, p_runbook, p_key, 'running', 1, p_checksum, p_run, p_runner,
                clock_timestamp(), p_host, p_limit, pg_backend_pid(),
                (select backend_start from pg_stat_activity where pid = pg_backend_pid()))
            on conflict (workspace, tenant, runbook, key) do update set
                state = 'running', clean = null, attempt = e.attempt + 1, checksum = excluded.checksum,
                run_id = excluded.run_id, runner = excluded.runner, started_at = excluded.started_at,
                finished_at = null, rows_affected = null, sqlstate = null, message = null, detail = null, hint = null,
                file = null, line = null, statement = null, host = excluded.host, process_group = null,
                process_start = null, time_limit_ms = excluded.time_limit_ms,
                backend_pid = excluded.backend_pid, backend_start = excluded.backend_start
            returning e.attempt into v_attempt;
            return v_attempt;
        end
        $muster$;

        create or replace function {s}.end_attempt(
            p_workspace text, p_tenant text, p_runbook text, p_key text, p_runner text, p_attempt integer,
            p_state text, p_clean boolean, p_tenant_key bigint
        ) returns boolean language plpgsql volatile set search_path = pg_catalog, pg_temp as $muster$
        declare
            v_held boolean;
        begin
            select exists (
                select 1 from pg_locks l
                where l.locktype = 'advisory' and l.pid = pg_backend_pid() and l.granted and l.objsubid = 1
                  and l.mode = 'ExclusiveLock'
                  and l.database = (select d.oid from pg_database d where d.datname = current_database())
                  and (l.classid::bigint << 32) | l.objid::bigint = p_tenant_key) into v_held;
            update {s}.executions set
                state = case when v_held then p_state else 'unknown' end,
                clean = case when v_held then p_clean end,
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
