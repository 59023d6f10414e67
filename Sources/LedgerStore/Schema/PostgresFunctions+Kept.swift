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
            -- What it was, with a blank behind where a lock is busy. For the session and for the transaction: no script can
            -- give back the latter.
            v_scan pg_catalog.text := pg_catalog.concat(
                pg_catalog.current_setting('enable_seqscan'),
                pg_catalog.left(pg_catalog.set_config('enable_seqscan', 'off', true), 0),
                case when \(fails(
                    gate + [
                        "try_advisory_lock_shared(p_workspace_key)", "try_advisory_xact_lock_shared(p_workspace_key)",
                        "try_advisory_lock(p_tenant_key)", "try_advisory_xact_lock(p_tenant_key)",
                    ])) then ' ' end);
            v_text pg_catalog.text;
            v_is pg_catalog.bool;
            v_has pg_catalog.bool;
        begin
            select \(isOurs), \(hasRecords()) into v_is, v_has
                \(ofJob);
            -- Mostly there is nothing of the tenant but what is sealed: then no name is looked at.
            \(scene(
                marker: time,
                unless: """
                    (case when \(isBusy) or v_has or v_is is not true then true
                        else pg_catalog.set_config('enable_seqscan', v_scan, true) is null or \(isNotPlain) end)
                    """
            ) {
                """
                if \(isBusy) then
                        raise exception '\(ClaimState.isBusy)' using errcode = 'MU001';
                    elsif v_is is not true then
                        raise exception '\(ClaimState.isSuperseded)' using errcode = 'MU004';
                    elsif v_has then
                        select true into v_is from {s}.executions e
                            where e.workspace operator(pg_catalog.=) p_workspace and e.tenant operator(pg_catalog.=) p_tenant
                              and e.runbook operator(pg_catalog.||) ' ' operator(pg_catalog.||) e.key
                                operator(pg_catalog.=) any (p_names)
                            limit 1;
                        v_has := v_is is true or pg_catalog.set_config('enable_seqscan', v_scan, true) is null;
                    end if;
                    if v_has or \(isNotPlain) then
                        raise exception 'something is on record and is looked at again' using errcode = 'MU012';
                    end if;
                """
            })
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
            \(scene(
                marker: time,
                unless: """
                    \(fails([
                        "try_advisory_xact_lock_shared(p_workspace_key)", "try_advisory_xact_lock(p_tenant_key)",
                        "advisory_unlock(p_tenant_key)", "try_advisory_lock(p_tenant_key)",
                    ])) or \(isNotPlain)
                    """
            ) {
                """
                raise exception 'the lock was let go and is taken again' using errcode = 'MU012';
                """
            })
        end
        $muster$;
        """

    /// A lock was somebody else's.
    private static let isBusy = "pg_catalog.right(v_scan, 1) operator(pg_catalog.=) ' '"

    /// A server, database or role may have other defaults for transactions.
    private static let isNotPlain = """
        pg_catalog.current_setting('transaction_isolation') operator(pg_catalog.<>) 'read committed'
                or pg_catalog.current_setting('transaction_read_only') operator(pg_catalog.<>) 'off'
        """
}
