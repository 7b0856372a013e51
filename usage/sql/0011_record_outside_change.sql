-- Trigger of public.profiles: what others than this app do to a limit or a counter goes into the history too. This app
-- writes its own entries, with a person and a reason, and says so for the length of its transaction.
-- SECURITY DEFINER: whoever may change a profile may not write the history. Never in the way of the change itself.
CREATE OR REPLACE FUNCTION waops.record_outside_change() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('waops.quota_change', true) = 'recorded' THEN
        RETURN NULL;
    END IF;
    BEGIN
        INSERT INTO waops.usage_quotachange (
            business_id, kind, at, actor_id, actor_name, reason,
            old_limit, new_limit, old_used, new_used, old_reset, new_reset, details
        )
        VALUES (
            NEW.id, 'outside', clock_timestamp(), NULL, session_user, '',
            OLD.monthly_ai_response_limit, NEW.monthly_ai_response_limit,
            OLD.monthly_ai_responses_used, NEW.monthly_ai_responses_used,
            OLD.last_responses_reset_date, NEW.last_responses_reset_date,
            '{}'
        );
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'record_outside_change: change of % not recorded: % (%)', NEW.id, SQLERRM, SQLSTATE;
    END;
    RETURN NULL;
END
$$;
