-- Trigger on public.profiles: records changes of limits and counters that this app did not make in the history.
-- This app writes its own entries, with a person and a reason, and says so for the length of its transaction. Counting
-- one reply increments the counter and nothing else, which is not a change. The comparison is here and not in the
-- trigger, where it would keep the service from changing the columns' types or dropping them.
-- SECURITY DEFINER: the roles that change profiles may not write the history.
-- It never fails the change, and waits 40 ms at most, once per transaction. A change that could not be recorded is a
-- row in waops.usage_missed; if that fails too, a sequence counts it, which is found without the name of its schema.
CREATE OR REPLACE FUNCTION waops.record_outside_change() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '40ms'
AS $$
DECLARE
    v_problem text := 'The history was locked earlier in this transaction.';
    v_is_change boolean;
BEGIN
    BEGIN
        v_is_change := coalesce(NEW.monthly_ai_responses_used < OLD.monthly_ai_responses_used, false)
            OR NEW.monthly_ai_response_limit IS DISTINCT FROM OLD.monthly_ai_response_limit
            OR NEW.last_responses_reset_date IS DISTINCT FROM OLD.last_responses_reset_date;
        IF NOT v_is_change THEN
            RETURN NULL;
        END IF;
        IF current_setting('waops.quota_change', true) = 'recorded' THEN
            RETURN NULL;
        END IF;
        IF current_setting('waops.history_locked', true) IS DISTINCT FROM 'on' THEN
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
            IF NOT FOUND THEN
                RAISE EXCEPTION 'a trigger discarded it';
            END IF;
            RETURN NULL;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        -- The service dropped one of the columns: nothing is left to record.
        IF v_is_change IS NULL AND SQLSTATE = '42703' THEN
            RETURN NULL;
        END IF;
        v_problem := format('%s (%s)', left(SQLERRM, 500), SQLSTATE);
        IF SQLSTATE = '55P03' THEN
            PERFORM set_config('waops.history_locked', 'on', true);
        END IF;
        RAISE WARNING 'record_outside_change: change of % not recorded: %', NEW.id, v_problem;
    END;

    BEGIN
        PERFORM set_config('lock_timeout', '1ms', true);
        INSERT INTO waops.usage_missed (at, what, business_id, problem)
        VALUES (clock_timestamp(), 'quota_change', NEW.id, v_problem);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a trigger discarded the note';
        END IF;
    EXCEPTION WHEN OTHERS THEN
        BEGIN
            PERFORM set_config('lock_timeout', '1ms', true);
            PERFORM nextval(sequence.oid::regclass)
            FROM pg_class AS sequence
            WHERE sequence.relname = 'usage_missed_changes' AND sequence.relkind = 'S';
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'record_outside_change: not noted either: % (%)', SQLERRM, SQLSTATE;
        END;
    END;
    RETURN NULL;
END
$$;
