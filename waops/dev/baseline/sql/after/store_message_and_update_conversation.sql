-- The plan's first form of store_message_with_update, with the same defects and no answer.
CREATE FUNCTION public.store_message_and_update_conversation(
    p_conversation_id uuid,
    p_role text,
    p_content text,
    p_message_id text DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    WITH new_message AS (
        INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id, metadata)
        VALUES (
            p_conversation_id, p_role, p_content, p_message_id,
            jsonb_build_object('estimated_tokens', ceil(length(p_content) * 0.25), 'timestamp', now())
        )
    )
    UPDATE whatsapp_conversations
    SET last_activity = now(),
        conversation_data = jsonb_build_object(
            'context', jsonb_build_object(
                'last_update', now(),
                'message_count', (
                    SELECT COUNT(*) FROM whatsapp_conversation_messages WHERE conversation_id = p_conversation_id
                ),
                'last_message_role', p_role
            )
        )
    WHERE id = p_conversation_id;
END
$$;
