-- End a turn, return the quota that it reserved unless its reply is stored, and return the turn; null if the token is
-- no longer its token.
-- A turn that had ended stays as it was. Locks in the same order as every caller: the conversation, the turn, the
-- business.
CREATE OR REPLACE FUNCTION waops.end_turn(p_token uuid, p_outcome text) RETURNS waops.conversations_turn
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_open waops.conversations_turn;
    v_turn waops.conversations_turn := waops.close_turn(p_token, p_outcome, true);
BEGIN
    IF v_turn.message_id IS NOT NULL THEN
        RETURN v_turn;
    END IF;
    v_open := waops.find_turn(p_token);
    IF v_open.message_id IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM
    FROM public.whatsapp_conversations AS conversation
    WHERE conversation.id = v_open.conversation_id
    FOR NO KEY UPDATE;
    -- Once more, now that no one can change it.
    v_open := waops.find_turn(p_token);
    v_turn := waops.close_turn(p_token, p_outcome, false);
    IF v_turn.message_id IS NULL THEN
        RETURN v_open;
    END IF;
    IF v_open.ended_at IS NULL AND v_open.replied_at IS NULL AND v_open.reserved_for IS NOT NULL THEN
        PERFORM waops.return_quota(v_open.reserved_for, v_open.reserved_reset);
    END IF;
    RETURN v_turn;
END
$$;
