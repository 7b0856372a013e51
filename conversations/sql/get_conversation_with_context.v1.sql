-- What the AI must know to answer a customer: the active conversation with its newest messages, whether the customer is
-- escalated, the last five AI replies, and the number's settings.
-- Newest first; messages of the same time are ordered by id. Always an object, and a list is never null; `conversation`
-- and `instance_config` are null if there is none. The customer is found under any written form of the number: see
-- whatsapp_customer.
-- Volatile for its trace: PostgREST calls a stable function in a transaction that cannot write.
-- Errors: 22004 a null, 22023 p_limit outside 0 to 1000, or a phone of more than 255 characters.
CREATE OR REPLACE FUNCTION public.get_conversation_with_context(
    p_instance_id uuid,
    p_user_phone text,
    p_limit integer DEFAULT 10
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_is_traced boolean;
    v_begun CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
    v_conversation public.whatsapp_conversations%ROWTYPE;
    v_conversation_json json;
    v_is_escalated boolean;
    v_phone text := p_user_phone;
    v_answer json;
BEGIN
    IF p_instance_id IS NULL OR p_user_phone IS NULL OR p_limit IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = pg_catalog.format(
            '%s must not be null',
            CASE
                WHEN p_instance_id IS NULL THEN 'p_instance_id'
                WHEN p_user_phone IS NULL THEN 'p_user_phone'
                ELSE 'p_limit'
            END
        );
    END IF;
    IF p_limit NOT BETWEEN 0 AND 1000 THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = pg_catalog.format('p_limit must be from 0 to 1000, not %s', p_limit);
    END IF;
    IF pg_catalog.length(p_user_phone) > 255 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = pg_catalog.format(
            'p_user_phone has %s characters; at most 255 are allowed', pg_catalog.length(p_user_phone)
        );
    END IF;

    SELECT *
    INTO v_conversation
    FROM public.whatsapp_conversations AS active
    WHERE active.instance_id = p_instance_id AND active.user_phone = p_user_phone AND active.status = 'active';
    IF NOT FOUND THEN
        v_phone := coalesce(public.whatsapp_customer(p_instance_id, p_user_phone), p_user_phone);
        SELECT *
        INTO v_conversation
        FROM public.whatsapp_conversations AS active
        WHERE active.instance_id = p_instance_id AND active.user_phone = v_phone AND active.status = 'active'
            AND v_phone <> p_user_phone;
    END IF;
    IF FOUND THEN
        v_conversation_json := pg_catalog.row_to_json(v_conversation);
    END IF;

    v_is_escalated := EXISTS (
        SELECT
        FROM public.escalated_conversations AS escalation
        WHERE escalation.instance_id = p_instance_id
            AND escalation.whatsapp_number = ANY (p_user_phone || public.whatsapp_forms(v_phone))
            AND escalation.resolved_at IS NULL
    );

    v_answer := pg_catalog.json_build_object(
        'conversation', v_conversation_json,
        'is_escalated', v_is_escalated,
        'recent_messages', (
            SELECT coalesce(
                pg_catalog.json_agg(
                    pg_catalog.json_build_object(
                        'role', recent.role, 'content', recent.content, 'timestamp', recent."timestamp"
                    )
                    ORDER BY recent."timestamp" DESC, recent.id DESC
                ),
                '[]'
            )
            FROM (
                SELECT message.id, message.role, message.content, message."timestamp"
                FROM public.whatsapp_conversation_messages AS message
                WHERE message.conversation_id = v_conversation.id
                ORDER BY message."timestamp" DESC, message.id DESC
                LIMIT p_limit
            ) AS recent
        ),
        'recent_interactions', (
            SELECT coalesce(
                pg_catalog.json_agg(
                    pg_catalog.json_build_object(
                        'metadata', recent.metadata, 'created_at', recent.created_at,
                        'user_message', recent.user_message
                    )
                    ORDER BY recent.created_at DESC, recent.id DESC
                ),
                '[]'
            )
            FROM (
                SELECT interaction.id, interaction.metadata, interaction.created_at, interaction.user_message
                FROM public.whatsapp_ai_interactions AS interaction
                WHERE interaction.whatsapp_instance_id = p_instance_id AND interaction.user_phone = v_phone
                ORDER BY interaction.created_at DESC, interaction.id DESC
                LIMIT 5
            ) AS recent
        ),
        'instance_config', (
            SELECT pg_catalog.row_to_json(instance)
            FROM public.whatsapp_instances AS instance
            WHERE instance.id = p_instance_id
        )
    );

    BEGIN
        v_setting := pg_catalog.set_config('lock_timeout', '10', true);
        v_is_traced := pg_catalog.pg_sequence_last_value('waops.traced_until'::regclass)
            > pg_catalog.date_part('epoch', pg_catalog.now());
        v_setting := pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    IF v_is_traced THEN
        BEGIN
            PERFORM waops.trace_call('get_conversation_with_context', v_begun, pg_catalog.jsonb_build_object(
                'instance_id', p_instance_id, 'conversation_id', v_conversation.id, 'is_escalated', v_is_escalated,
                'limit', p_limit
            ));
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;

    RETURN v_answer;
END
$$;
