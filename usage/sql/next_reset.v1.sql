-- When a monthly counter is due to be reset: midnight UTC on the first day of the month after the last reset. If that
-- has passed, the next first of a month from now, and `overdue`. Never reset: the next first of a month, not overdue.
-- A last reset before 2000 or after 2100, including `infinity`, counts as one of that year.
CREATE OR REPLACE FUNCTION waops.next_reset(
    p_last timestamp with time zone,
    p_now timestamp with time zone,
    OUT resets_on timestamp with time zone,
    OUT overdue boolean
)
    LANGUAGE plpgsql
    IMMUTABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_month timestamp := date_trunc('month', CASE
        WHEN p_last < '2000-01-01 00:00+00' THEN '2000-01-01 00:00+00'
        WHEN p_last > '2100-01-01 00:00+00' THEN '2100-01-01 00:00+00'
        ELSE coalesce(p_last, p_now)
    END AT TIME ZONE 'UTC');
BEGIN
    overdue := (v_month + interval '1 month') AT TIME ZONE 'UTC' <= p_now;
    IF overdue THEN
        v_month := date_trunc('month', p_now AT TIME ZONE 'UTC');
    END IF;
    resets_on := (v_month + interval '1 month') AT TIME ZONE 'UTC';
END
$$;
