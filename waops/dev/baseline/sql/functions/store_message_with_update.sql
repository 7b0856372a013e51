-- The plan's form, defects included: the count is taken before the row is stored and reads the whole conversation,
-- all of conversation_data is overwritten, and a webhook delivered twice is stored twice.
CREATE FUNCTION public.store_message_with_update(
    p_conversation_id uuid,
    p_role text,
    p_content text,
    p_message_id text DEFAULT NULL
) RETURNS json
    LANGUAGE plpgsql
AS $$
DECLARE
    v_result json;
BEGIN
    WITH new_message AS (
        INSERT INTO whatsapp_conversation_messages (conversation_id, role, content, message_id, metadata)
        VALUES (
            p_conversation_id, p_role, p_content, p_message_id,
            jsonb_build_object('estimated_tokens', ceil(length(p_content) * 0.25), 'timestamp', now())
        )
        RETURNING id, "timestamp"
    ),
    message_stats AS (
        SELECT COUNT(*) AS message_count
        FROM whatsapp_conversation_messages
        WHERE conversation_id = p_conversation_id
    ),
    updated_conversation AS (
        UPDATE whatsapp_conversations
        SET last_activity = now(),
            conversation_data = jsonb_build_object(
                'context', jsonb_build_object(
                    'last_update', now(),
                    'message_count', (SELECT message_count FROM message_stats),
                    'last_message_role', p_role
                )
            )
        WHERE id = p_conversation_id
    )
    SELECT json_build_object(
        'success', true,
        'message_id', new_message.id,
        'conversation_id', p_conversation_id,
        'message_count', message_stats.message_count,
        'timestamp', new_message."timestamp"
    )
    INTO v_result
    FROM new_message, message_stats;

    RETURN v_result;
END
$$;
