-- What a caller may still do with its turn, to ask just before sending, and whether the customer is escalated now.
-- `state`: yours, sending, superseded, done, lost (another caller took over), or unknown if it cannot be looked up.
-- Errors: 22004 a null.
CREATE OR REPLACE FUNCTION public.turn_state(p_turn uuid) RETURNS json
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
BEGIN
    IF p_turn IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'p_turn must not be null';
    END IF;
    BEGIN
        RETURN waops.answer_turn(waops.find_turn(p_turn));
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'turn_state: % (%)', SQLERRM, SQLSTATE;
        RETURN pg_catalog.json_build_object('state', 'unknown', 'is_escalated', NULL);
    END;
END
$$;
