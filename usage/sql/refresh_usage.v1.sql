-- Count what is pending, and return the state of the counts. One call runs at a time; others wait, pages for two
-- seconds only.
-- p_at_most: a page's patience. With more pending changes nothing is counted, and `pending` says so (a number above
-- p_at_most means "more"). NULL: no limit. p_rebuild: discard the counts and count every reply again. That also happens
-- if they were never built, were built for another time zone, or missed a change, and there are at most p_at_most
-- replies. `problem`: why nothing can be counted at all.
-- A change can be missed (see waops.queue_answers): then a row of waops.usage_missed or the sequence in
-- waops.usage_basis() says so. Both are read before the replies are counted, so that a change missed in the meantime
-- makes the counts stale again. A mark of the sequence may exist before its transaction commits: while such a
-- transaction holds its lock, the counts do not count as built.
CREATE OR REPLACE FUNCTION waops.refresh_usage(
    p_time_zone text,
    p_at_most integer DEFAULT NULL,
    p_rebuild boolean DEFAULT false,
    OUT is_built boolean,
    OUT refreshed_at timestamp with time zone,
    OUT pending bigint,
    OUT counted bigint,
    OUT problem text
)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET row_security = off
AS $$
#variable_conflict use_column
DECLARE
    v_gone uuid[];
    v_rebuild boolean;
    v_basis text;
    v_lock_timeout text := current_setting('lock_timeout');
    v_has_lock boolean := true;
BEGIN
    -- In statements of their own: those that follow see what the one before us has committed.
    BEGIN
        IF p_at_most IS NOT NULL THEN
            PERFORM set_config('lock_timeout', '2s', true);
        END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended('waops.usage', 0));
    EXCEPTION WHEN lock_not_available THEN
        v_has_lock := false;
    END;
    PERFORM set_config('lock_timeout', v_lock_timeout, true);

    is_built := false;
    pending := 0;
    counted := 0;
    BEGIN
        v_basis := waops.usage_basis();
        IF v_basis IS NULL THEN
            problem := 'The triggers of public.whatsapp_ai_interactions that queue answers to be counted are missing '
                'or disabled, or do not fire for its partitions or child tables.';
            RETURN;
        END IF;
        SELECT
            state.built_at IS NOT NULL AND state.time_zone = p_time_zone AND state.basis = v_basis
                AND NOT EXISTS (SELECT FROM waops.usage_missed AS missed WHERE missed.what = 'answers'),
            state.refreshed_at
        INTO is_built, refreshed_at
        FROM waops.usage_rollupstate AS state;
        is_built := coalesce(is_built, false);

        v_rebuild := p_rebuild OR NOT is_built;
        IF v_rebuild AND p_at_most IS NOT NULL THEN
            SELECT count(*) INTO pending
            FROM (SELECT FROM public.whatsapp_ai_interactions LIMIT p_at_most + 1) AS answer;
        ELSE
            SELECT count(*) INTO pending
            FROM (SELECT FROM waops.usage_pendinganswer LIMIT p_at_most + 1) AS answer;
        END IF;
        IF pending > p_at_most OR NOT v_has_lock THEN
            pending := greatest(pending, 1);
            RETURN;
        END IF;

        -- A reset before 2000 or after 2100 is no real one; see waops.count_answers.
        INSERT INTO waops.usage_period (business_id, starts_at, counted)
        SELECT profile.id, least(profile.last_responses_reset_date, '2100-01-01 00:00+00'), false
        FROM public.profiles AS profile
        WHERE profile.last_responses_reset_date > '2000-01-01 00:00+00'
          AND NOT EXISTS (
              SELECT FROM waops.usage_period AS period
              WHERE period.business_id = profile.id
                AND period.starts_at = least(profile.last_responses_reset_date, '2100-01-01 00:00+00')
          );

        IF v_rebuild THEN
            IF NOT pg_try_advisory_xact_lock(hashtextextended('waops.usage.missed', 0)) THEN
                v_basis := '';
            END IF;
            DELETE FROM waops.usage_missed AS missed WHERE missed.what = 'answers';
            PERFORM set_config('waops.answers_missed', '', true);
            DELETE FROM waops.usage_usagedetail;
            DELETE FROM waops.usage_usagebyperiod;
            DELETE FROM waops.usage_usagebyday;
            DELETE FROM waops.usage_usagebyhour;
        END IF;

        IF v_rebuild OR pending > 0
            OR EXISTS (SELECT FROM waops.usage_period AS period WHERE NOT period.counted) THEN
            SELECT result.counted, result.gone INTO counted, v_gone
            FROM waops.count_answers(p_time_zone, v_rebuild) AS result;
        END IF;

        IF v_gone <> '{}' THEN
            DELETE FROM waops.usage_usagedetail AS kept WHERE kept.instance_id = ANY (v_gone);
            DELETE FROM waops.usage_usagebyperiod AS kept WHERE kept.instance_id = ANY (v_gone);
            DELETE FROM waops.usage_usagebyday AS kept WHERE kept.instance_id = ANY (v_gone);
            DELETE FROM waops.usage_usagebyhour AS kept WHERE kept.instance_id = ANY (v_gone);
        END IF;
    EXCEPTION WHEN undefined_column OR undefined_table OR undefined_function OR insufficient_privilege THEN
        -- A deployment whose tables lack what is counted, or damage to ours: everything else works on.
        is_built := false;
        counted := 0;
        problem := SQLERRM;
        RETURN;
    END;

    IF v_rebuild THEN
        is_built := v_basis <> '';
        INSERT INTO waops.usage_rollupstate AS state (id, built_at, refreshed_at, time_zone, basis)
        VALUES (1, clock_timestamp(), clock_timestamp(), p_time_zone, v_basis)
        ON CONFLICT (id) DO UPDATE SET
            built_at = excluded.built_at, refreshed_at = excluded.refreshed_at,
            time_zone = excluded.time_zone, basis = excluded.basis;
    ELSIF counted > 0 OR refreshed_at < clock_timestamp() - interval '10 seconds' THEN
        UPDATE waops.usage_rollupstate AS state SET refreshed_at = clock_timestamp();
    END IF;
    IF NOT is_built THEN
        problem := 'A transaction whose answers were not queued is still running. Count again when it has ended.';
    END IF;
    refreshed_at := clock_timestamp();
    pending := 0;
END
$$;
