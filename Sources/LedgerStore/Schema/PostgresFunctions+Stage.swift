extension PostgresFunctions {
    /// Several runbooks as one transaction: one claim and one record, and a step between two scripts.
    static let stage = """
        \(claimStage)

        -- Called under pg_catalog as search_path, which the message sets behind each script. Nothing that a script has
        -- set reaches the next one; the marker is carried over, with one more time in it.
        create or replace procedure {s}.step(p_token text, \(sceneParameters)
        ) language plpgsql as $muster$
        declare
            -- What the times are is looked at once, by the record.
            v_times pg_catalog.text := \(times);
            v_text pg_catalog.text;
        begin
            reset all;
            \(scene(marker: "v_times, ',', \(time)", unless: "v_times is null") {
                "raise exception '\(ClaimState.hasLeft)' using errcode = 'MU002';"
            })
        end
        $muster$;

        -- Answers the times of the marker and that of its own, with commas: each script's beginning, and the end. Where
        -- they are new, as in `record`.
        create or replace function {s}.record_stage(
            p_token text, p_workspace text, p_tenant text, p_runbooks text[], p_keys text[], p_checksums text[],
            p_run text, p_runner text, p_is_new boolean
        ) returns text language plpgsql volatile as $muster$
        declare
            v_times text := case when \(areTimes) then concat(\(times), ',', extract(epoch from clock_timestamp())) end;
            v_time float8[] := string_to_array(v_times, ',')::float8[];
            v_count bigint;
        begin
            if p_is_new and array_length(v_time, 1) = array_length(p_runbooks, 1) + 1 then
                \(insertion);
            elsif (array_length(v_time, 1) = array_length(p_runbooks, 1) + 1) is not true then
                raise exception '\(ClaimState.hasLeft)' using errcode = 'MU002';
            else
                \(insertion)
                on conflict (workspace, tenant, runbook, key) do update set
                    attempt = e.attempt + 1, checksum = excluded.checksum,
                    run_id = p_run, runner = p_runner, started_at = excluded.started_at, finished_at = excluded.finished_at,
                    \(again)
                where \(mayRunAgain("excluded.checksum"));
                get diagnostics v_count = row_count;
                if v_count <> array_length(p_runbooks, 1) then
                    raise exception 'done' using errcode = 'MU003';
                end if;
            end if;
            return v_times;
        end
        $muster$;
        """

    private static let insertion = """
        insert into {s}.executions as e (
                    workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner, started_at, finished_at)
                select p_workspace, p_tenant, x.runbook, x.key, 'succeeded', 1, x.checksum, p_run, p_runner,
                    to_timestamp(v_time[x.place]), to_timestamp(v_time[x.place + 1])
                from unnest(p_runbooks, p_keys, p_checksums) with ordinality as x(runbook, key, checksum, place)
        """

    /// Whether the marker's times are some: a script can read the marker, and write something else. No time is infinite,
    /// which no question about the history would survive.
    private static let areTimes = "\(times) ~ '^[0-9]+[.][0-9]+(,[0-9]+[.][0-9]+)*$'"

    /// The claim of several runbooks that are one transaction. Whose refusal it is stands in the error's detail, as its
    /// place among them, from 1.
    private static let claimStage = claim(
        "claim_stage",
        of: """
            p_runbooks text[], p_keys text[], p_checksums text[], p_policies text[], p_agains boolean[]
            """,
        among: "",
        examine: """
            for i in 1 .. pg_catalog.array_length(p_runbooks, 1) loop
                begin
                    perform {s}.examine(p_workspace, p_tenant, p_runbooks[i], p_keys[i], p_checksums[i],
                        p_policies[i], p_agains[i], p_run, p_runner, p_job_attempt);
                exception when others then
                    raise exception using errcode = sqlstate, message = sqlerrm, detail = i;
                end;
            end loop;
            """)
}
