-- All that happens when a customer writes, in one call: find, reactivate or create the conversation; store the
-- message; and answer what the AI needs: waops.customer_context, AI settings, quota (checked, not counted).
-- A message delivered again is `duplicate`: nothing is written, and no conversation is reactivated.
-- Errors as of store_message_with_update and waops.customer_context; 22023 also an empty phone, 23503 no such instance.
CREATE OR REPLACE FUNCTION public.message_arrived(
    p_instance_id uuid,
    p_user_phone text,
    p_content text,
    p_message_id text DEFAULT NULL,
    p_limit integer DEFAULT 10
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_business_id uuid;
    v_conversation_id uuid;
    v_status text;
    v_created boolean := false;
    v_reactivated boolean;
    v_stored json;
    v_context record;
BEGIN
    IF p_instance_id IS NULL OR p_user_phone IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = format(
            '%s must not be null', CASE WHEN p_instance_id IS NULL THEN 'p_instance_id' ELSE 'p_user_phone' END
        );
    END IF;
    IF length(p_user_phone) NOT BETWEEN 1 AND 255 THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = format('p_user_phone has %s characters; 1 to 255 are allowed', length(p_user_phone));
    END IF;

    SELECT instance.user_id
    INTO v_business_id
    FROM public.whatsapp_instances AS instance
    WHERE instance.id = p_instance_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = format('Instance %s does not exist', p_instance_id);
    END IF;

    SELECT conversation.id, conversation.status
    INTO v_conversation_id, v_status
    FROM public.whatsapp_conversations AS conversation
    WHERE conversation.instance_id = p_instance_id AND conversation.user_phone = p_user_phone
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        -- Another first message of this customer may create it at this moment; then this one waits and uses that row.
        INSERT INTO public.whatsapp_conversations AS conversation (instance_id, user_phone)
        VALUES (p_instance_id, p_user_phone)
        ON CONFLICT (instance_id, user_phone) DO NOTHING
        RETURNING conversation.id, conversation.status INTO v_conversation_id, v_status;
        v_created := FOUND;
        IF NOT v_created THEN
            SELECT conversation.id, conversation.status
            INTO v_conversation_id, v_status
            FROM public.whatsapp_conversations AS conversation
            WHERE conversation.instance_id = p_instance_id AND conversation.user_phone = p_user_phone
            FOR NO KEY UPDATE;
            IF NOT FOUND THEN
                RAISE EXCEPTION USING ERRCODE = '40001',
                    MESSAGE = 'The conversation was deleted as the message arrived: repeat the call';
            END IF;
        END IF;
    END IF;

    v_stored := public.store_message_with_update(v_conversation_id, 'user', p_content, p_message_id);

    v_reactivated := v_status <> 'active' AND v_stored ->> 'duplicate' = 'false';
    IF v_reactivated THEN
        UPDATE public.whatsapp_conversations AS conversation
        SET status = 'active'
        WHERE conversation.id = v_conversation_id;
    END IF;

    v_context := waops.customer_context(p_instance_id, p_user_phone, p_limit);

    IF current_setting('waops.trace', true) = 'on' THEN
        RAISE LOG 'message_arrived: instance=% conversation=% created=% reactivated=% is_escalated=%',
            p_instance_id, v_conversation_id, v_created, v_reactivated, v_context.is_escalated;
    END IF;

    RETURN json_build_object(
        'success', true,
        'conversation_id', v_conversation_id,
        'created', v_created,
        'reactivated', v_reactivated,
        'message_id', v_stored -> 'message_id',
        'message_count', v_stored -> 'message_count',
        'duplicate', v_stored -> 'duplicate',
        'timestamp', v_stored -> 'timestamp',
        'conversation', v_context.conversation,
        'is_escalated', v_context.is_escalated,
        'recent_messages', v_context.recent_messages,
        'recent_interactions', v_context.recent_interactions,
        'instance_config', v_context.instance_config,
        'ai_config', (
            SELECT row_to_json(config)
            FROM public.whatsapp_ai_config AS config
            WHERE config.whatsapp_instance_id = p_instance_id AND config.is_active = true
        ),
        'quota', public.check_and_update_ai_usage(v_business_id, false)
    );
END
$$;
