-- Called by a scheduled job: disables expired businesses, and resets the others' counters every 30 days.
CREATE FUNCTION public.manage_subscriptions_and_limits()
    RETURNS TABLE (
        total_processed integer,
        expired_disabled integer,
        active_reset integer,
        execution_timestamp timestamp with time zone
    )
    LANGUAGE plpgsql
AS $$
DECLARE
    v_expired integer;
    v_reset integer;
BEGIN
    UPDATE profiles
    SET is_active = false, monthly_ai_response_limit = 0, monthly_ai_responses_used = 0
    WHERE subscription_end_date < now() AND is_active;
    GET DIAGNOSTICS v_expired = ROW_COUNT;

    UPDATE profiles
    SET monthly_ai_responses_used = 0,
        last_responses_reset_date = now(),
        monthly_prompt_generations_used = 0,
        last_prompt_generations_reset_date = now()
    WHERE subscription_end_date >= now()
        AND is_active
        AND last_responses_reset_date <= now() - interval '30 days';
    GET DIAGNOSTICS v_reset = ROW_COUNT;

    RETURN QUERY SELECT v_expired + v_reset, v_expired, v_reset, now();
END
$$;
