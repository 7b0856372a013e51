-- Counting one answer raises the counter and nothing else: then only this condition is evaluated.
CREATE TRIGGER waops_record_outside_change
    AFTER UPDATE OF monthly_ai_response_limit, monthly_ai_responses_used, last_responses_reset_date ON public.profiles
    FOR EACH ROW
    WHEN (
        NEW.monthly_ai_responses_used < OLD.monthly_ai_responses_used
        OR NEW.monthly_ai_response_limit IS DISTINCT FROM OLD.monthly_ai_response_limit
        OR NEW.last_responses_reset_date IS DISTINCT FROM OLD.last_responses_reset_date
    )
    EXECUTE FUNCTION waops.record_outside_change();
