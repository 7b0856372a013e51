-- End a turn without a reply, and return the quota that it reserved. `escalated`: a person takes over. `refused`: no
-- reply is intended. `failed`: the customer stays unanswered and is listed at the desk.
-- Returns the same as turn_state. Errors: 22004 a null, 22023 another outcome.
CREATE OR REPLACE FUNCTION public.end_turn(p_turn uuid, p_outcome text) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
BEGIN
    IF p_turn IS NULL OR p_outcome IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = pg_catalog.format(
            '%s must not be null', CASE WHEN p_turn IS NULL THEN 'p_turn' ELSE 'p_outcome' END
        );
    END IF;
    IF p_outcome NOT IN ('escalated', 'refused', 'failed') THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = pg_catalog.format(
            'p_outcome must be "escalated", "refused" or "failed", not "%s"', pg_catalog.left(p_outcome, 50)
        );
    END IF;
    BEGIN
        RETURN waops.answer_turn(waops.end_turn(p_turn, p_outcome));
    EXCEPTION
        WHEN serialization_failure OR deadlock_detected THEN
            RAISE;
        WHEN OTHERS THEN
            RAISE WARNING 'end_turn: % (%)', SQLERRM, SQLSTATE;
            RETURN pg_catalog.json_build_object('state', 'unknown', 'is_escalated', NULL);
    END;
END
$$;
