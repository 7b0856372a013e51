-- Note in a conversation, which the caller has locked, that messages were stored, the newest of that role. Answers how
-- many it has. Whatever else conversation_data holds survives.
CREATE OR REPLACE FUNCTION waops.touch_conversation(p_conversation_id uuid, p_role text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_count bigint;
BEGIN
    -- The count is read where it is written: one statement fewer in the path of every message.
    UPDATE public.whatsapp_conversations AS conversation
    SET last_activity = now(),
        conversation_data = waops.as_object(conversation.conversation_data) || jsonb_build_object(
            'context',
            waops.as_object(conversation.conversation_data -> 'context') || jsonb_build_object(
                'last_update', now(),
                'message_count', coalesce(
                    (
                        SELECT counted.messages
                        FROM waops.message_count AS counted
                        WHERE counted.conversation_id = p_conversation_id
                    ),
                    waops.messages_of(p_conversation_id)
                ),
                'last_message_role', p_role
            )
        )
    WHERE conversation.id = p_conversation_id
    RETURNING (conversation.conversation_data -> 'context' -> 'message_count')::bigint INTO v_count;
    RETURN v_count;
END
$$;
