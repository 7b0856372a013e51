-- May the business answer with the AI, and, when asked to, count one answer. A failure of ours never silences a
-- customer: without a known business the answer is yes, with errorMessage, and an incident counted for the operators.
CREATE OR REPLACE FUNCTION public.check_and_update_ai_usage(
    p_user_id uuid,
    p_increment boolean DEFAULT false
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_limit integer;
    v_used integer;
    v_last_reset timestamp with time zone;
    v_resets_on timestamp with time zone;
    v_overdue boolean;
    v_allowed boolean;
BEGIN
    IF p_increment THEN
        -- One statement looks and counts: of concurrent calls for this business each goes on from what the one before
        -- committed, and none passes the limit.
        UPDATE public.profiles AS profile
        SET monthly_ai_responses_used = profile.monthly_ai_responses_used + 1
        WHERE profile.id = p_user_id AND profile.monthly_ai_responses_used < profile.monthly_ai_response_limit
        RETURNING profile.monthly_ai_response_limit, profile.monthly_ai_responses_used, profile.last_responses_reset_date
        INTO v_limit, v_used, v_last_reset;
        v_allowed := FOUND;
    END IF;

    IF v_allowed IS NOT TRUE THEN
        SELECT
            profile.monthly_ai_response_limit, profile.monthly_ai_responses_used, profile.last_responses_reset_date,
            NOT p_increment AND profile.monthly_ai_responses_used < profile.monthly_ai_response_limit
        INTO v_limit, v_used, v_last_reset, v_allowed
        FROM public.profiles AS profile
        WHERE profile.id = p_user_id;
    END IF;

    IF NOT FOUND THEN
        BEGIN
            INSERT INTO waops.waops_incident AS incident
                (day, procedure, kind, detail, occurrences, first_at, last_at)
            VALUES (
                (now() AT TIME ZONE 'UTC')::date, 'check_and_update_ai_usage', 'unknown_business',
                coalesce(p_user_id::text, ''), 1, now(), now()
            )
            ON CONFLICT (day, procedure, kind, detail)
            DO UPDATE SET occurrences = incident.occurrences + 1, last_at = now();
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'check_and_update_ai_usage: incident not counted: % (%)', SQLERRM, SQLSTATE;
        END;
        RETURN json_build_object(
            'allowed', true, 'limit', 0, 'used', 0, 'resetsOn', NULL,
            'errorMessage', coalesce('No profile has id ' || p_user_id, 'User ID is required'),
            'resetOverdue', false
        );
    END IF;

    SELECT reset.resets_on, reset.overdue
    INTO v_resets_on, v_overdue
    FROM waops.next_reset(v_last_reset, now()) AS reset;

    IF current_setting('waops.trace', true) = 'on' THEN
        RAISE LOG 'check_and_update_ai_usage: user=% increment=% allowed=% used=% limit=%',
            p_user_id, p_increment, v_allowed, v_used, v_limit;
    END IF;

    RETURN json_build_object(
        'allowed', v_allowed, 'limit', v_limit, 'used', v_used, 'resetsOn', v_resets_on,
        'errorMessage', NULL, 'resetOverdue', v_overdue
    );
END
$$;
