-- Whether the business's AI may reply and, if asked to, count one reply. Our failure never silences a customer: for an
-- unknown business the answer is yes, with errorMessage, and an incident is counted for the operators. The answer is
-- also yes with errorMessage if a trigger of the service discards the count.
-- Needs nothing of schema waops; without it only the incident is lost.
-- Triggers of the service run inside this function and may name their tables unqualified: its search path is that of
-- the service's callers, with the built-in names first. So each name here is qualified.
CREATE OR REPLACE FUNCTION public.check_and_update_ai_usage(
    p_user_id uuid,
    p_increment boolean DEFAULT false
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_is_traced boolean;
    v_begun CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
    v_limit integer;
    v_used integer;
    v_last_reset timestamp with time zone;
    v_month timestamp without time zone;
    v_overdue boolean;
    v_allowed boolean;
    v_is_counted boolean := false;
    v_exists boolean := true;
BEGIN
    -- The second time for a reset between the two statements.
    FOR v_try IN 1..2 LOOP
        IF p_increment THEN
            -- One statement looks and counts: of concurrent calls for this business each goes on from what the one before
            -- committed, and none passes the limit.
            UPDATE public.profiles AS profile
            SET monthly_ai_responses_used = profile.monthly_ai_responses_used + 1
            WHERE profile.id = p_user_id AND profile.monthly_ai_responses_used < profile.monthly_ai_response_limit
            RETURNING
                profile.monthly_ai_response_limit, profile.monthly_ai_responses_used, profile.last_responses_reset_date
            INTO v_limit, v_used, v_last_reset;
            v_is_counted := FOUND;
        END IF;

        IF v_is_counted THEN
            v_allowed := true;
            EXIT;
        END IF;
        SELECT
            profile.monthly_ai_response_limit, profile.monthly_ai_responses_used, profile.last_responses_reset_date,
            profile.monthly_ai_responses_used < profile.monthly_ai_response_limit
        INTO v_limit, v_used, v_last_reset, v_allowed
        FROM public.profiles AS profile
        WHERE profile.id = p_user_id;
        v_exists := FOUND;
        EXIT WHEN p_increment IS NOT TRUE OR v_allowed IS NOT TRUE;
    END LOOP;

    IF NOT v_exists THEN
        BEGIN
            -- Others may hold the incident's row: wait a moment for it, and not twice in one transaction.
            PERFORM pg_catalog.set_config(
                'lock_timeout',
                CASE pg_catalog.current_setting('waops.incidents_locked', true) WHEN 'on' THEN '1ms' ELSE '40ms' END,
                true
            );
            INSERT INTO waops.waops_incident AS incident
                (day, procedure, kind, detail, occurrences, first_at, last_at)
            VALUES (
                (pg_catalog.now() AT TIME ZONE 'UTC')::pg_catalog.date, 'check_and_update_ai_usage', 'unknown_business',
                coalesce(p_user_id::pg_catalog.text, ''), 1, pg_catalog.now(), pg_catalog.now()
            )
            ON CONFLICT (day, procedure, kind, detail)
            DO UPDATE SET occurrences = incident.occurrences + 1, last_at = pg_catalog.now();
            PERFORM pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
        EXCEPTION WHEN OTHERS THEN
            IF SQLSTATE = '55P03' THEN
                PERFORM pg_catalog.set_config('waops.incidents_locked', 'on', true);
            END IF;
            RAISE WARNING 'check_and_update_ai_usage: incident not counted: % (%)', SQLERRM, SQLSTATE;
        END;
        RETURN pg_catalog.json_build_object(
            'allowed', true, 'limit', 0, 'used', 0, 'resetsOn', NULL,
            'errorMessage', CASE
                WHEN p_user_id IS NULL THEN 'User ID is required'
                ELSE pg_catalog.format('No profile has id %s', p_user_id)
            END,
            'resetOverdue', false
        );
    END IF;

    -- waops.next_reset, written out: it may be gone.
    v_month := pg_catalog.date_trunc('month', CASE
        WHEN v_last_reset < '2000-01-01 00:00+00' THEN '2000-01-01 00:00+00'
        WHEN v_last_reset > '2100-01-01 00:00+00' THEN '2100-01-01 00:00+00'
        ELSE coalesce(v_last_reset, pg_catalog.now())
    END AT TIME ZONE 'UTC');
    v_overdue := (v_month + interval '1 month') AT TIME ZONE 'UTC' <= pg_catalog.now();
    IF v_overdue THEN
        v_month := pg_catalog.date_trunc('month', pg_catalog.now() AT TIME ZONE 'UTC');
    END IF;

    BEGIN
        v_setting := pg_catalog.set_config('lock_timeout', '10', true);
        v_is_traced := pg_catalog.pg_sequence_last_value('waops.traced_until'::regclass)
            > pg_catalog.date_part('epoch', pg_catalog.now());
        v_setting := pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    IF v_is_traced THEN
        BEGIN
            PERFORM waops.trace_call('check_and_update_ai_usage', v_begun, pg_catalog.jsonb_build_object(
                'user_id', p_user_id, 'increment', p_increment, 'allowed', v_allowed, 'used', v_used,
                'limit', v_limit, 'overdue', v_overdue
            ));
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;

    RETURN pg_catalog.json_build_object(
        'allowed', coalesce(v_allowed, false), 'limit', v_limit, 'used', v_used,
        'resetsOn', (v_month + interval '1 month') AT TIME ZONE 'UTC',
        'errorMessage', CASE
            WHEN p_increment AND v_allowed AND NOT v_is_counted
            THEN 'The quota could not be counted: a trigger on profiles discarded it'
        END,
        'resetOverdue', v_overdue
    );
END
$$;
