-- A copy deployed before the plan was written down: the same text and defects, but its third argument has another
-- name, which CREATE OR REPLACE FUNCTION cannot change.
CREATE FUNCTION public.get_conversation_with_context(
    p_instance_id uuid,
    p_user_phone text,
    p_message_limit integer DEFAULT 10
) RETURNS json
    LANGUAGE plpgsql
AS $$
DECLARE
    v_result json;
BEGIN
    SELECT json_build_object(
        'conversation', row_to_json(conversation),
        'is_escalated', EXISTS (
            SELECT FROM escalated_conversations
            WHERE whatsapp_number = p_user_phone AND instance_id = p_instance_id AND resolved_at IS NULL
        ),
        'recent_messages', (
            SELECT json_agg(row_to_json(message))
            FROM (
                SELECT role, content, "timestamp"
                FROM whatsapp_conversation_messages
                WHERE conversation_id = conversation.id
                ORDER BY "timestamp" DESC
                LIMIT p_message_limit
            ) AS message
        ),
        'recent_interactions', (
            SELECT json_agg(row_to_json(interaction))
            FROM (
                SELECT metadata, created_at, user_message
                FROM whatsapp_ai_interactions
                WHERE whatsapp_instance_id = p_instance_id AND user_phone = p_user_phone
                ORDER BY created_at DESC
                LIMIT 5
            ) AS interaction
        ),
        'instance_config', (SELECT row_to_json(instance) FROM whatsapp_instances AS instance WHERE id = p_instance_id)
    )
    INTO v_result
    FROM whatsapp_conversations AS conversation
    WHERE conversation.instance_id = p_instance_id
        AND conversation.user_phone = p_user_phone
        AND conversation.status = 'active';

    RETURN v_result;
END
$$;
