-- Confirm that the reply of a turn was sent. A turn that is not confirmed before its lease expires is shown to staff
-- and never sent again automatically; a late confirmation still counts. Returns the same as turn_state. Errors: 22004 a
-- null.
CREATE OR REPLACE FUNCTION public.turn_sent(p_turn uuid) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
BEGIN
    IF p_turn IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = 'p_turn must not be null';
    END IF;
    BEGIN
        RETURN waops.answer_turn(waops.end_turn(p_turn, 'answered'));
    EXCEPTION
        WHEN serialization_failure OR deadlock_detected THEN
            RAISE;
        WHEN OTHERS THEN
            RAISE WARNING 'turn_sent: % (%)', SQLERRM, SQLSTATE;
            RETURN pg_catalog.json_build_object('state', 'unknown', 'is_escalated', NULL);
    END;
END
$$;
