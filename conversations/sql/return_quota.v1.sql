-- Return the quota that a turn reserved, unless the business's counter was reset after the reservation. The counter
-- never falls below 0.
CREATE OR REPLACE FUNCTION waops.return_quota(p_business_id uuid, p_last_reset timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_recorded CONSTANT text := pg_catalog.current_setting('waops.quota_change', true);
BEGIN
    -- The history of quotas is for changes by people, so its trigger leaves this one out.
    PERFORM pg_catalog.set_config('waops.quota_change', 'recorded', true);
    UPDATE public.profiles AS profile
    SET monthly_ai_responses_used = profile.monthly_ai_responses_used - 1
    WHERE profile.id = p_business_id AND profile.monthly_ai_responses_used > 0
        AND profile.last_responses_reset_date IS NOT DISTINCT FROM p_last_reset;
    PERFORM pg_catalog.set_config('waops.quota_change', coalesce(v_recorded, ''), true);
END
$$;
