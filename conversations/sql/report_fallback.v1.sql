-- Count that a caller of the function used the legacy path, with the SQLSTATE or PostgREST code it got. Never fails,
-- and waits at most 50 ms for locks.
-- Unknown functions and codes count as `other`, so that the table stays small. p_message is not stored, because it may
-- quote a customer.
CREATE OR REPLACE FUNCTION public.report_fallback(
    p_function text,
    p_sqlstate text,
    p_message text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_function text := 'other';
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
BEGIN
    BEGIN
        PERFORM pg_catalog.set_config('lock_timeout', '10', true);
        SELECT sample.name INTO v_function FROM waops.waffle_sample AS sample WHERE sample.name = p_function;
        -- Callers that report at the same moment wait for each other, but not twice in one transaction.
        PERFORM pg_catalog.set_config(
            'lock_timeout',
            CASE pg_catalog.current_setting('waops.incidents_locked', true) WHEN 'on' THEN '1' ELSE '40' END,
            true
        );
        INSERT INTO waops.waops_incident AS incident
            (day, procedure, kind, detail, occurrences, first_at, last_at)
        VALUES (
            (pg_catalog.now() AT TIME ZONE 'UTC')::pg_catalog.date, coalesce(v_function, 'other'), 'fallback',
            CASE WHEN p_sqlstate ~ '^([0-9A-Z]{5}|PGRST[0-9A-Z]{3})$' THEN p_sqlstate ELSE 'other' END,
            1, pg_catalog.now(), pg_catalog.now()
        )
        ON CONFLICT (day, procedure, kind, detail)
        DO UPDATE SET occurrences = incident.occurrences + 1, last_at = pg_catalog.now();
        PERFORM pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE = '55P03' THEN
            PERFORM pg_catalog.set_config('waops.incidents_locked', 'on', true);
        END IF;
        RAISE WARNING 'report_fallback: not counted (%)', SQLSTATE;
    END;
END
$$;
