/// The functions of the ledger in PostgreSQL. They are replaced at every upgrade; `{s}` stands for the quoted schema.
///
/// Each is VOLATILE plpgsql, so that every statement in it sees what was committed before that statement: the lock is
/// taken in one, the ledger is read in a later one. SQLSTATEs: MU001 busy, MU002 the script left the claim's
/// transaction, MU003 done, MU004 superseded, MU005 wrong target, MU006 drift, MU007 its last end was not seen.
///
/// A session keeps the plans of the first calls, when `executions` may be nearly empty: without `enable_seqscan = off`
/// each later claim would read the whole of a table that has grown since.
enum PostgresFunctions {
    /// Fence and re-read. Needs the parameters of `claim` and the variable `v_seen`.
    ///
    /// - Parameter isScript: SQL that is true for a script; what a hook left behind is the hook's business.
    private static func examine(isScript: String) -> String { look + rules(isScript: isScript) }

    /// Fence and re-read.
    static let look = """
            select coalesce(e.state, x.state) as state, e.clean, coalesce(e.checksum, x.checksum) as checksum,
                e.backend_pid, e.backend_start, e.state is null as is_sealed into v_seen
                from {s}.jobs j join {s}.runs r on r.id = j.run_id
                left join {s}.executions e on e.workspace = p_workspace and e.tenant = p_tenant
                    and e.runbook = p_runbook and e.key = p_key
                left join {s}.sealed s on s.workspace = p_workspace and s.tenant = p_tenant
                left join {s}.set_members x on x.set_id = s.set_id and x.runbook = p_runbook and x.key = p_key
                where j.run_id = p_run and j.tenant = p_tenant and j.state = 'running' and j.runner = p_runner
                  and j.attempt = p_job_attempt and r.status <> 'completed';
            if not found then
                raise exception '\(ClaimState.isSuperseded)' using errcode = 'MU004';
            end if;

        """

    private static func rules(isScript: String) -> String {
        """
            if v_seen.state in ('succeeded', 'baselined') then
                if v_seen.checksum = p_checksum or p_policy = 'accept' then
                    raise exception 'done' using errcode = 'MU003';
                elsif p_policy = 'fail' then
                    raise exception 'done with another body (%)', v_seen.checksum using errcode = 'MU006';
                elsif v_seen.is_sealed then
        \(lift);
                end if;
            elsif v_seen.state in ('running', 'unknown') then
                if not p_again or \(UndoConditions.isOfUndo) then
                    raise exception 'the end of its last attempt was not seen' using errcode = 'MU007';
                end if;
                if exists (
                    select 1 from pg_stat_activity a where a.pid = v_seen.backend_pid
                        and a.backend_start = v_seen.backend_start and a.pid <> pg_backend_pid()) then
                    raise exception 'the server still works on its last attempt' using errcode = 'MU001';
                end if;
            elsif v_seen.state = 'failed' and v_seen.clean is false
                and ((\(isScript)) and not p_again or \(UndoConditions.isOfUndo)) then
                raise exception 'its last attempt failed and left something behind' using errcode = 'MU007';
            end if;
        """
    }

    /// A finished member of the tenant's set gets a row of its own before it runs again.
    static let lift = LedgerSQL.lift(
        "(select p_tenant as tenant, p_runbook as runbook, p_key as key)", workspace: "p_workspace", ordered: "join"
    ) { "{s}.\($0)" }

    /// Locks, fence, re-read, marker, and what the script finds set.
    ///
    /// This is run before every script, mostly where nothing is on record yet: then it is two looks by primary key. All
    /// else is the business of `examine`. It has no search_path of its own, which would take back the script's when it
    /// ends, and so names everything with its schema. Each assignment and condition costs a little by itself, and its plan
    /// is gone through at every change of a table in any session (PostgreSQL's source, plancache.c,
    /// `PlanCacheRelCallback`): hence few.
    static func claim(_ name: String, examine: String) -> String {
        claim(
            name,
            of: """
                p_runbook text, p_key text, p_checksum text, p_policy text, p_again boolean
                """,
            among: """
                and e.runbook operator(pg_catalog.=) p_runbook and e.key operator(pg_catalog.=) p_key
                """,
            examine: """
                perform {s}.\(examine)(p_workspace, p_tenant, p_runbook, p_key, p_checksum, p_policy, p_again, p_run,
                    p_runner, p_job_attempt);
                """)
    }

    /// - Parameter filter: which of the tenant's records are looked for.
    static func claim(_ name: String, of work: String, among filter: String, examine: String) -> String {
        """
        create or replace function {s}.\(name)(
            p_token text, p_workspace text, p_tenant text, \(work), p_run text, p_runner text, p_job_attempt integer,
            p_gate bigint, p_workspace_key bigint, p_tenant_key bigint, p_sealed boolean default true,
            \(sceneParameters)
        ) returns void language plpgsql volatile set enable_seqscan = off as $muster$
        declare
            v_text pg_catalog.text;
            v_is pg_catalog.bool;
        begin
            if \(fails(
                gate + ["try_advisory_xact_lock_shared(p_workspace_key)", "try_advisory_xact_lock(p_tenant_key)"]))
            then
                raise exception '\(ClaimState.isBusy)' using errcode = 'MU001';
            end if;
            select \(isOurs) and not \(hasRecords(filter)) into v_is
                \(ofJob) and not p_sealed;
            \(scene(marker: time, unless: "v_is is not true") { examine })
        end
        $muster$;
        """
    }

    static let time = "extract(epoch from pg_catalog.clock_timestamp()), ' ', p_token"

    /// Who wants the workspace for himself holds the gate: it is tried, and left at once.
    static let gate = ["try_advisory_lock_shared(p_gate)", "advisory_unlock_shared(p_gate)"]

    /// Whether one of these calls of `pg_…` answers false. CASE keeps their order, and makes none behind that one; a
    /// condition, like an assignment, is evaluated without the executor.
    static func fails(_ calls: [String]) -> String {
        "(case " + calls.map { "when not pg_catalog.pg_\($0) then true" }.joined(separator: "\n                ")
            + " else false end)"
    }

    /// Whether the job is still its runner's. A run has no running job any more when it is complete.
    static let isOurs = """
        j.state operator(pg_catalog.=) 'running' and j.runner operator(pg_catalog.=) p_runner
                    and j.attempt operator(pg_catalog.=) p_job_attempt
        """

    static let ofJob = """
        from {s}.jobs j where j.run_id operator(pg_catalog.=) p_run and j.tenant operator(pg_catalog.=) p_tenant
        """

    /// Whether anything is on record of the tenant that is not sealed.
    static func hasRecords(_ filter: String = "") -> String {
        """
        exists (select from {s}.executions e
                    where e.workspace operator(pg_catalog.=) p_workspace and e.tenant operator(pg_catalog.=) p_tenant \(filter))
        """
    }

    static let sceneParameters = """
        p_statement_timeout text default null, p_lock_timeout text default null,
            p_settings text[] default null, p_target text default null, p_path text default null
        """

    /// A message that takes its time is answered at its end.
    private static let isSlow = """
        pg_catalog.clock_timestamp() operator(pg_catalog.>)
                (pg_catalog.statement_timestamp() operator(pg_catalog.+) '100 milliseconds'::pg_catalog.interval)
        """

    /// What current_schema() would say under the script's path, without the cost of a query.
    private static let isElsewhere = """
        p_target is not null and pg_catalog.has_schema_privilege(
                pg_catalog.to_regnamespace(pg_catalog.quote_ident(p_target))::pg_catalog.oid, 'usage') is not true
        """

    /// What is seldom so where a script begins.
    private static let isRare = "p_settings is not null or \(isSlow) or \(isElsewhere)"

    /// Where a script begins: what it finds set, the marker, and a look at its target. Needs `v_text`. What is seldom so is
    /// asked with what is always done.
    ///
    /// One expression, and nothing is evaluated behind it where nothing is unusual: it leaves the script's path set, and
    /// the plan of whatever followed would be made anew for each tenant, since it belongs to a path.
    ///
    /// - Parameters:
    ///   - marker: what the marker is put together from.
    ///   - doubt: what keeps the script from beginning, unless what is done about it comes to an end.
    static func scene(marker: String, unless doubt: String, _ judgement: () -> String) -> String {
        """
            -- Of what is unusual the marker tells, until it is one.
            if (case when \(doubt) then pg_catalog.set_config('muster.claim', 'doubt', true)
                when \(isRare) then pg_catalog.set_config('muster.claim', 'rare', true)
                else \(setting(marker)) end)
                operator(pg_catalog.=) any ('{doubt,rare}'::pg_catalog.text[])
            then
                if pg_catalog.current_setting('muster.claim') operator(pg_catalog.=) 'doubt' then
                    \(judgement())
                end if;
                \(rarely)
                v_text := \(setting(marker));
            end if;
        """
    }

    private static let rarely = """
        if \(isSlow) then
                    -- INFO is always sent, and at once.
                    raise info 'muster: next runbook';
                end if;
                if p_settings is not null then
                    for i in 1 .. pg_catalog.array_length(p_settings, 1) by 2 loop
                        v_text := pg_catalog.set_config(p_settings[i], p_settings[i operator(pg_catalog.+) 1], true);
                    end loop;
                end if;
                if \(isElsewhere) then
                    v_text := pg_catalog.set_config('search_path', p_path, true);
                    execute 'select pg_catalog.current_schema()' into v_text;
                    raise exception 'current schema: %', v_text using errcode = 'MU005';
                end if;
        """

    /// Sets the marker and what the script finds; answers a text that begins with the marker.
    ///
    /// In a message of several runbooks now() is the same for all of them. A name over 63 bytes, a backslash: the lexer
    /// reads scripts as the server does only under standard_conforming_strings. The last ends work whose runner is gone
    /// (PostgreSQL 14, manual 20.3.3).
    private static func setting(_ marker: String) -> String {
        """
        pg_catalog.concat(
                    pg_catalog.set_config('muster.claim', pg_catalog.concat(\(marker)), true),
                    case when p_statement_timeout is not null then pg_catalog.concat(
                        pg_catalog.set_config('statement_timeout', p_statement_timeout, true),
                        pg_catalog.set_config('lock_timeout', p_lock_timeout, true),
                        pg_catalog.set_config('standard_conforming_strings', 'on', true),
                        case when pg_catalog.current_setting('server_version_num')::pg_catalog.int4
                            operator(pg_catalog.>=) 140000
                        then pg_catalog.set_config('client_connection_check_interval', '2s', true) end) end,
                    case when p_path is not null then pg_catalog.set_config('search_path', p_path, true) end)
        """
    }

    /// Fence and re-read in both places where something may be on record, and what follows from it.
    static func examination(_ name: String, _ examine: String) -> String {
        """
        create or replace function {s}.\(name)(
            p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text, p_policy text,
            p_again boolean, p_run text, p_runner text, p_job_attempt integer
        ) returns void language plpgsql volatile
            set search_path = pg_catalog, pg_temp set enable_seqscan = off as $muster$
        declare
            v_seen record;
        begin
        \(examine)
        end
        $muster$;
        """
    }

    /// What a record is rid of when its identity succeeds after all.
    static let again = """
        state = 'succeeded', clean = null, rows_affected = null, sqlstate = null, message = null,
                detail = null, hint = null, file = null, line = null, statement = null
        """

    static func mayRunAgain(_ checksum: String) -> String {
        "(e.state not in ('succeeded', 'baselined') or e.checksum <> \(checksum))"
    }

    private static let insertion = """
        insert into {s}.executions (
                    workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner, started_at, finished_at)
                values (p_workspace, p_tenant, p_runbook, p_key, 'succeeded', 1, p_checksum, p_run, p_runner,
                    v_started, clock_timestamp())
        """

    static let all = """
        \(examination("examine", examine(isScript: "true")))

        \(claim("claim", examine: "examine"))

        \(stage)

        \(kept)

        -- Called under pg_catalog as search_path, which the message sets behind the script: a plan belongs to the path it
        -- was made under. Where it is new, the claim has seen under its locks that nothing is on record; it is inserted
        -- without a look, and 23505 says that something is, after all.
        create or replace function {s}.record(
            p_token text, p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text,
            p_run text, p_runner text, p_is_new boolean
        ) returns integer language plpgsql volatile as $muster$
        declare
            v_started timestamptz := \(started);
        begin
            if p_is_new and v_started is not null then
                \(insertion);
            elsif v_started is null then
                raise exception '\(ClaimState.hasLeft)' using errcode = 'MU002';
            else
                \(insertion)
                on conflict do nothing;
                if not found then
                    perform {s}.record_again(
                        p_workspace, p_tenant, p_runbook, p_key, p_checksum, p_run, p_runner, v_started);
                end if;
            end if;
            return date_part('epoch', clock_timestamp() - v_started) * 1000;
        end
        $muster$;

        create or replace function {s}.record_again(
            p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text,
            p_run text, p_runner text, p_started timestamptz
        ) returns void language plpgsql volatile
            set search_path = pg_catalog, pg_temp set enable_seqscan = off as $muster$
        begin
            update {s}.executions e set
                attempt = e.attempt + 1, checksum = p_checksum,
                run_id = p_run, runner = p_runner, started_at = p_started, finished_at = clock_timestamp(),
                \(again)
            where e.workspace = p_workspace and e.tenant = p_tenant and e.runbook = p_runbook and e.key = p_key
                and \(mayRunAgain("p_checksum"));
            if not found then
                raise exception 'done' using errcode = 'MU003';
            end if;
        end
        $muster$;

        create or replace function {s}.begin_attempt(
            p_workspace text, p_tenant text, p_runbook text, p_key text, p_checksum text, p_policy text,
            p_again boolean, p_run text, p_runner text, p_job_attempt integer, p_host text, p_limit bigint
        ) returns integer language plpgsql volatile
            set search_path = pg_catalog, pg_temp set enable_seqscan = off as $muster$
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
        ) returns boolean language plpgsql volatile
            set search_path = pg_catalog, pg_temp set enable_seqscan = off as $muster$
        declare
            v_held boolean;
        begin
        \(isHeld)
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

    /// When the claim set its marker; null when that is not the claim of this token, or not there any more.
    private static let started = """
        to_timestamp(\(times)::float8)
        """

    /// What the claim's marker of this token says of times; null when there is none.
    static let times = """
        case when pg_catalog.right(\(marker), -pg_catalog.strpos(\(marker), ' ')) operator(pg_catalog.=) p_token
                    then pg_catalog.split_part(\(marker), ' ', 1) end
        """

    private static let marker = "pg_catalog.current_setting('muster.claim', true)"

    /// Whether the session still holds the tenant's lock.
    static let isHeld = """
            select exists (
                select 1 from pg_locks l
                where l.locktype = 'advisory' and l.pid = pg_backend_pid() and l.granted and l.objsubid = 1
                  and l.mode = 'ExclusiveLock'
                  and l.database = (select d.oid from pg_database d where d.datname = current_database())
                  and (l.classid::bigint << 32) | l.objid::bigint = p_tenant_key) into v_held;
        """
}
