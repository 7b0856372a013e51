-- The turn of a token, or null.
CREATE OR REPLACE FUNCTION waops.find_turn(p_token uuid) RETURNS waops.conversations_turn
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '40ms'
AS $$
BEGIN
    RETURN (SELECT turn FROM waops.conversations_turn AS turn WHERE turn.token = p_token);
END
$$;
