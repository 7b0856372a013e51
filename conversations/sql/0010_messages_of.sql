-- How many messages a conversation has. Counted anew where the triggers have not seen it yet: before its first change,
-- or while somebody has disabled them.
CREATE OR REPLACE FUNCTION waops.messages_of(p_conversation_id uuid) RETURNS bigint
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(
        (SELECT counted.messages FROM waops.message_count AS counted WHERE counted.conversation_id = p_conversation_id),
        (
            SELECT count(*)
            FROM public.whatsapp_conversation_messages AS message
            WHERE message.conversation_id = p_conversation_id
        )
    );
END
$$;
