-- The rollout percentage of each function; a function that is not listed gets every call.
-- `fresh_for`: seconds for which a caller may keep the result. Without schema waops nothing is listed.
CREATE OR REPLACE FUNCTION public.function_switches() RETURNS json
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_functions json;
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
BEGIN
    BEGIN
        PERFORM pg_catalog.set_config('lock_timeout', '40', true);
        SELECT pg_catalog.json_object_agg(
            sample.name, greatest(0, least(100, sample.percent))::double precision ORDER BY sample.name
        )
        INTO v_functions
        FROM waops.waffle_sample AS sample;
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    PERFORM pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
    RETURN pg_catalog.json_build_object('functions', coalesce(v_functions, '{}'::json), 'fresh_for', 5);
END
$$;
