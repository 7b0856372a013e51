-- Everything that happens when a customer writes, in one call: find, reactivate or create the conversation, store the
-- message, and return what the AI needs: its context, AI settings and quota (checked, not counted; allowed if that
-- fails).
-- A message delivered again is `duplicate`: nothing is written, and no conversation is reactivated.
-- `p_lease_seconds`, 1 to 86400: ask for the turn, which says whether to answer this message, and reserves quota. See
-- docs/message-path.md. Null: no turn, and none of its costs. `turn.state` is `unknown` if schema waops cannot be used.
-- Errors as in store_message_with_update and get_conversation_with_context; also 22023 an empty phone, a group, a
-- broadcast or a newsletter, 23503 no such instance, 55000 a trigger discarded the conversation.
CREATE OR REPLACE FUNCTION public.message_arrived(
    p_instance_id uuid,
    p_user_phone text,
    p_content text,
    p_message_id text DEFAULT NULL,
    p_limit integer DEFAULT 10,
    p_lease_seconds integer DEFAULT NULL
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_is_traced boolean;
    v_called_at CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
    v_business_id uuid;
    v_conversation_id uuid;
    v_status text;
    v_created boolean := false;
    v_reactivated boolean;
    v_stored json;
    v_context json;
    v_quota json;
    v_phone text := p_user_phone;
    v_other text;
    v_message_id text;
    v_timestamp text;
    v_is_duplicate boolean;
    v_is_escalated boolean;
    v_begun json[];
BEGIN
    IF p_instance_id IS NULL OR p_user_phone IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = pg_catalog.format(
            '%s must not be null', CASE WHEN p_instance_id IS NULL THEN 'p_instance_id' ELSE 'p_user_phone' END
        );
    END IF;
    IF pg_catalog.length(p_user_phone) NOT BETWEEN 1 AND 255 THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = pg_catalog.format(
                'p_user_phone has %s characters; 1 to 255 are allowed', pg_catalog.length(p_user_phone)
            );
    END IF;
    IF p_lease_seconds NOT BETWEEN 1 AND 86400 THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = pg_catalog.format('p_lease_seconds must be from 1 to 86400, not %s', p_lease_seconds);
    END IF;
    IF p_user_phone !~ '^[1-9][0-9]*$' THEN
        v_phone := public.whatsapp_customer(p_instance_id, p_user_phone);
        IF v_phone IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = '22023',
                MESSAGE = 'p_user_phone must be a customer, not a group, a broadcast, a status or a newsletter';
        END IF;
    END IF;

    SELECT instance.user_id
    INTO v_business_id
    FROM public.whatsapp_instances AS instance
    WHERE instance.id = p_instance_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = pg_catalog.format('Instance %s does not exist', p_instance_id);
    END IF;

    FOR v_try IN 1..4 LOOP
        SELECT conversation.id, conversation.status
        INTO v_conversation_id, v_status
        FROM public.whatsapp_conversations AS conversation
        WHERE conversation.instance_id = p_instance_id AND conversation.user_phone = v_phone
        FOR NO KEY UPDATE;
        EXIT WHEN FOUND;

        v_other := public.whatsapp_customer(p_instance_id, v_phone);
        IF v_other <> v_phone THEN
            v_phone := v_other;
            CONTINUE;
        END IF;

        -- Another first message of this customer may create it at this moment; then the next turn waits and finds it.
        INSERT INTO public.whatsapp_conversations AS conversation (instance_id, user_phone)
        VALUES (p_instance_id, v_phone)
        ON CONFLICT (instance_id, user_phone) DO NOTHING
        RETURNING conversation.id, conversation.status INTO v_conversation_id, v_status;
        v_created := FOUND;
        EXIT WHEN v_created;
    END LOOP;
    IF v_conversation_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '55000',
            MESSAGE = 'The conversation was not created: a trigger on whatsapp_conversations discarded it';
    END IF;

    v_stored := public.store_message_with_update(v_conversation_id, 'user', p_content, p_message_id);

    v_message_id := v_stored ->> 'message_id'::text;
    v_timestamp := v_stored ->> 'timestamp'::text;
    v_is_duplicate := v_stored ->> 'duplicate'::text;
    v_reactivated := v_status <> 'active' AND NOT v_is_duplicate;
    IF v_reactivated THEN
        UPDATE public.whatsapp_conversations AS conversation
        SET status = 'active'
        WHERE conversation.id = v_conversation_id;
    END IF;

    v_context := public.get_conversation_with_context(p_instance_id, v_phone, p_limit);
    -- The service's escalate_conversation writes the number as it is given, which whatsapp_forms may not guess.
    v_is_escalated := (v_context ->> 'is_escalated'::text)::boolean OR v_phone <> p_user_phone AND EXISTS (
        SELECT
        FROM public.escalated_conversations AS escalation
        WHERE escalation.instance_id = p_instance_id
            AND escalation.whatsapp_number = p_user_phone
            AND escalation.resolved_at IS NULL
    );

    -- A failure of ours never silences a customer.
    IF p_lease_seconds IS NOT NULL THEN
        BEGIN
            v_begun := waops.begin_turn(
                v_conversation_id, v_message_id::uuid, v_timestamp::timestamp with time zone, v_is_duplicate,
                v_is_escalated, v_business_id, p_lease_seconds
            );
            v_quota := v_begun[2];
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'message_arrived: turn not had: % (%)', SQLERRM, SQLSTATE;
            v_begun[1] := pg_catalog.json_build_object('state', 'unknown');
        END;
    END IF;
    IF v_quota IS NULL THEN
        BEGIN
            v_quota := public.check_and_update_ai_usage(v_business_id, false);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'message_arrived: quota not checked: % (%)', SQLERRM, SQLSTATE;
            v_quota := pg_catalog.json_build_object(
                'allowed', true, 'limit', 0, 'used', 0, 'resetsOn', NULL,
                'errorMessage', pg_catalog.format('The quota could not be checked: %s', SQLERRM), 'resetOverdue', false
            );
        END;
    END IF;

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
            PERFORM waops.trace_call('message_arrived', v_called_at, pg_catalog.jsonb_build_object(
                'instance_id', p_instance_id, 'conversation_id', v_conversation_id, 'created', v_created,
                'reactivated', v_reactivated, 'message_id', v_stored -> 'message_id'::text,
                'duplicate', v_stored -> 'duplicate'::text, 'is_escalated', v_is_escalated,
                'allowed', v_quota -> 'allowed'::text, 'turn', v_begun[1] -> 'state'::text
            ));
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;

    RETURN pg_catalog.json_build_object(
        'success', true,
        'conversation_id', v_conversation_id,
        'created', v_created,
        'reactivated', v_reactivated,
        'message_id', v_message_id,
        'message_count', v_stored -> 'message_count'::text,
        'duplicate', v_is_duplicate,
        'timestamp', v_timestamp,
        'conversation', v_context -> 'conversation'::text,
        'is_escalated', v_is_escalated,
        'recent_messages', v_context -> 'recent_messages'::text,
        'recent_interactions', v_context -> 'recent_interactions'::text,
        'instance_config', v_context -> 'instance_config'::text,
        'ai_config', (
            SELECT pg_catalog.row_to_json(config)
            FROM public.whatsapp_ai_config AS config
            WHERE config.whatsapp_instance_id = p_instance_id AND config.is_active = true
            -- Not every deployment allows one only, and a message must not fail for it.
            ORDER BY config.id
            LIMIT 1
        ),
        'quota', v_quota,
        'turn', v_begun[1]
    );
END
$$;
