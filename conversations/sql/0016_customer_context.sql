-- What the AI must know to answer a customer: the active conversation with its newest messages, whether a human has
-- taken over, the last five answers, and the number's settings. Newest first; a list is never null, `conversation` and
-- `instance_config` are null when there is none. Errors: 22004 a null, 22023 p_limit outside 0 to 1000.
CREATE OR REPLACE FUNCTION waops.customer_context(
    p_instance_id uuid,
    p_user_phone text,
    p_limit integer,
    OUT conversation json,
    OUT is_escalated boolean,
    OUT recent_messages json,
    OUT recent_interactions json,
    OUT instance_config json
)
    LANGUAGE plpgsql
    STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_conversation public.whatsapp_conversations%ROWTYPE;
BEGIN
    IF p_instance_id IS NULL OR p_user_phone IS NULL OR p_limit IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = format(
            '%s must not be null',
            CASE
                WHEN p_instance_id IS NULL THEN 'p_instance_id'
                WHEN p_user_phone IS NULL THEN 'p_user_phone'
                ELSE 'p_limit'
            END
        );
    END IF;
    IF p_limit NOT BETWEEN 0 AND 1000 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = format('p_limit must be from 0 to 1000, not %s', p_limit);
    END IF;

    SELECT *
    INTO v_conversation
    FROM public.whatsapp_conversations AS active
    WHERE active.instance_id = p_instance_id AND active.user_phone = p_user_phone AND active.status = 'active';
    IF FOUND THEN
        conversation := row_to_json(v_conversation);
    END IF;

    is_escalated := EXISTS (
        SELECT
        FROM public.escalated_conversations AS escalation
        WHERE escalation.instance_id = p_instance_id
            AND escalation.whatsapp_number = p_user_phone
            AND escalation.resolved_at IS NULL
    );

    recent_messages := (
        SELECT coalesce(json_agg(row_to_json(recent) ORDER BY recent."timestamp" DESC), '[]')
        FROM (
            SELECT message.role, message.content, message."timestamp"
            FROM public.whatsapp_conversation_messages AS message
            WHERE message.conversation_id = v_conversation.id
            ORDER BY message."timestamp" DESC
            LIMIT p_limit
        ) AS recent
    );

    recent_interactions := (
        SELECT coalesce(json_agg(row_to_json(recent) ORDER BY recent.created_at DESC), '[]')
        FROM (
            SELECT interaction.metadata, interaction.created_at, interaction.user_message
            FROM public.whatsapp_ai_interactions AS interaction
            WHERE interaction.whatsapp_instance_id = p_instance_id AND interaction.user_phone = p_user_phone
            ORDER BY interaction.created_at DESC
            LIMIT 5
        ) AS recent
    );

    instance_config := (
        SELECT row_to_json(instance)
        FROM public.whatsapp_instances AS instance
        WHERE instance.id = p_instance_id
    );
END
$$;
