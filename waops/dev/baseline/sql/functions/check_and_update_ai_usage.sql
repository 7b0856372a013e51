-- The plan's form, defects included: an unknown profile is answered "allowed": null, resetsOn has no time zone and
-- lies in the past when a reset is overdue, and a mere check locks the row.
CREATE FUNCTION public.check_and_update_ai_usage(
    p_user_id uuid,
    p_increment boolean DEFAULT false
) RETURNS json
    LANGUAGE plpgsql
AS $$
DECLARE
    v_limit integer;
    v_used integer;
    v_last_reset timestamp;
    v_allowed boolean;
BEGIN
    IF p_user_id IS NULL THEN
        RETURN json_build_object(
            'allowed', true, 'limit', 0, 'used', 0, 'resetsOn', NULL, 'errorMessage', 'User ID is required'
        );
    END IF;

    SELECT monthly_ai_response_limit, monthly_ai_responses_used, last_responses_reset_date
    INTO v_limit, v_used, v_last_reset
    FROM profiles
    WHERE id = p_user_id
    FOR UPDATE;

    v_allowed := v_used < v_limit;

    IF p_increment AND v_allowed THEN
        UPDATE profiles
        SET monthly_ai_responses_used = monthly_ai_responses_used + 1
        WHERE id = p_user_id
        RETURNING monthly_ai_responses_used INTO v_used;
    END IF;

    RETURN json_build_object(
        'allowed', v_allowed,
        'limit', v_limit,
        'used', v_used,
        'resetsOn', date_trunc('month', v_last_reset) + interval '1 month'
    );
END
$$;
