-- Set how a turn ended. Returns null and changes nothing if the turn has ended, the token is no longer its token or,
-- with p_if_replied, no reply is stored. An unconfirmed turn can still become answered.
CREATE OR REPLACE FUNCTION waops.close_turn(p_token uuid, p_outcome text, p_if_replied boolean)
    RETURNS waops.conversations_turn
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '40ms'
AS $$
DECLARE
    v_turn waops.conversations_turn;
BEGIN
    UPDATE waops.conversations_turn AS turn
    SET ended_at = clock_timestamp(), outcome = p_outcome
    WHERE turn.token = p_token
        AND (turn.ended_at IS NULL OR (turn.outcome = 'unconfirmed' AND p_outcome = 'answered'))
        AND (turn.replied_at IS NOT NULL OR NOT p_if_replied)
    RETURNING * INTO v_turn;
    RETURN v_turn;
END
$$;
