extension PostgresFunctions {
    /// Several runbooks of one tenant, each a transaction of its own with locks of its own, and the same locks for the
    /// session from the first claim to the end of their message.
    ///
    /// Only where nothing is on record of any of them. What is unusual is not judged here: MU012 ends the message, and
    /// `claim` looks again. MU012 too when the transaction is not what a plain BEGIN begins by default.
    ///
    /// Procedures, since a CALL is not planned, and a SET clause costs as much as a look: the one setting is made and taken
    /// back with what is asked anyway.
    static let kept = """
        create or replace procedure {s}.claim_kept(
            p_token text, p_workspace text, p_tenant text, p_names text[], p_run text, p_runner text, p_job_attempt integer,
            p_gate bigint, p_workspace_key bigint, p_tenant_key bigint, \(sceneParameters)
        ) language plpgsql as $muster$
        declare
            v_scan pg_catalog.text := pg_catalog.current_setting('enable_seqscan');
            v_text pg_catalog.text;
            v_is pg_catalog.bool;
        begin
            -- For the session and for the transaction: no script can give back the latter.
            if \(fails(
                gate + [
                    "try_advisory_lock_shared(p_workspace_key)", "try_advisory_xact_lock_shared(p_workspace_key)",
                    "try_advisory_lock(p_tenant_key)", "try_advisory_xact_lock(p_tenant_key)",
                ])) or pg_catalog.set_config('enable_seqscan', 'off', true) is null
            then
                raise exception '\(ClaimState.isBusy)' using errcode = 'MU001';
            end if;
            \(fence)
            -- Mostly there is nothing of the tenant but what is sealed: then no name is looked at.
            select true into v_is from {s}.executions e
                where e.workspace operator(pg_catalog.=) p_workspace and e.tenant operator(pg_catalog.=) p_tenant
                limit 1;
            if v_is then
                select true into v_is from {s}.executions e
                    where e.workspace operator(pg_catalog.=) p_workspace and e.tenant operator(pg_catalog.=) p_tenant
                      and e.runbook operator(pg_catalog.||) ' ' operator(pg_catalog.||) e.key
                        operator(pg_catalog.=) any (p_names)
                    limit 1;
            end if;
            if v_is or pg_catalog.set_config('enable_seqscan', v_scan, true) is null or \(isNotPlain) then
                raise exception 'something is on record and is looked at again' using errcode = 'MU012';
            end if;
            \(scene(marker: time))
        end
        $muster$;

        -- While the session has not let the tenant's lock go nobody else has worked on it: what claim_kept saw is still
        -- true, but for what this message has done.
        create or replace procedure {s}.claim_next(
            p_token text, p_workspace_key bigint, p_tenant_key bigint, \(sceneParameters)
        ) language plpgsql as $muster$
        declare
            v_text pg_catalog.text;
        begin
            -- The session's lock can be given back if it was held; the transaction's stands for it in that moment.
            if \(fails([
                "try_advisory_xact_lock_shared(p_workspace_key)", "try_advisory_xact_lock(p_tenant_key)",
                "advisory_unlock(p_tenant_key)", "try_advisory_lock(p_tenant_key)",
            ])) or \(isNotPlain)
            then
                raise exception 'the lock was let go and is taken again' using errcode = 'MU012';
            end if;
            \(scene(marker: time))
        end
        $muster$;
        """

    private static let time = "extract(epoch from pg_catalog.clock_timestamp()), ' ', p_token"

    /// A server, database or role may have other defaults for transactions.
    private static let isNotPlain = """
        pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.<>) 'read committed'
                or pg_catalog.current_setting('transaction_read_only') operator(pg_catalog.<>) 'off'
        """
}
