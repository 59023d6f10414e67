/// Version 4 of the ledger, alike in both engines: how far a backfill in batches has come.
///
/// `batches` is null for all that is no batch; it counts those of the last attempt. Receipts in tenants' own databases
/// have had `cursor` from their first version on, and need no more.
enum BatchSchema {
    static let version4 = """
        alter table {executions} add column cursor text;
        alter table {executions} add column batches bigint;
        """
}

extension PostgresFunctions {
    /// The receipt of one batch, in the batch's own transaction: how far it has come now. `succeeded` ends it.
    static let recordBatch = """

        create or replace function {s}.record_batch(
            p_token text, p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text,
            p_run text, p_runner text, p_state text, p_cursor text, p_rows bigint, p_batches bigint
        ) returns void language plpgsql volatile
            set search_path = pg_catalog, pg_temp set enable_seqscan = off as $muster$
        declare
            v_marker text := current_setting('muster.claim', true);
        begin
            if v_marker is distinct from split_part(v_marker, ' ', 1) || ' ' || p_token then
                raise exception 'the statement ended the transaction it ran in, or reset all settings'
                    using errcode = 'MU002';
            end if;
            insert into {s}.executions as e (
                workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner, started_at, finished_at,
                cursor, rows_affected, batches)
            values (p_workspace, p_tenant, p_runbook, p_key, p_state, 1, p_checksum, p_run, p_runner,
                to_timestamp(split_part(v_marker, ' ', 1)::float8),
                case when p_state <> 'running' then clock_timestamp() end, p_cursor, p_rows, p_batches)
            on conflict (workspace, tenant, runbook, key) do update set
                state = excluded.state, clean = null, checksum = excluded.checksum, run_id = excluded.run_id,
                attempt = e.attempt + case when excluded.batches > 1 then 0 else 1 end,
                started_at = case when excluded.batches > 1 then e.started_at else excluded.started_at end,
                runner = excluded.runner, finished_at = excluded.finished_at, cursor = excluded.cursor,
                rows_affected = excluded.rows_affected, batches = excluded.batches, sqlstate = null, message = null,
                detail = null, hint = null, file = null, line = null, statement = null
            where e.state not in ('succeeded', 'baselined') or e.checksum <> excluded.checksum;
            if not found then
                raise exception 'done' using errcode = 'MU003';
            end if;
        end
        $muster$;
        """
}
