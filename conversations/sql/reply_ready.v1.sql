-- Everything that happens when the AI's reply is ready, in one call: store it, record the interaction, count the quota
-- and the personality. A reply that was stored before under the same message id is `duplicate`, and nothing is counted
-- again.
-- `p_interaction`: null, or an object with user_message and, if known, context_token_count, search_result_count,
-- response_model, prompt_tokens, completion_tokens, total_tokens, metadata. `p_user_id`: whose quota counts; null: the
-- owner of the conversation's number. `quota.allowed` false: the limit was reached since the message arrived; the reply
-- is stored anyway, because its customer was accepted, and not counted.
-- Statistics never cause a reply to be refused: full counters stay full, an invalid number is stored as null, and a
-- quota that cannot be counted is returned as allowed, with errorMessage.
-- `p_turn`: the token of message_arrived's turn. If that turn is no longer held, or its customer is escalated by now,
-- nothing is stored or counted: `turn.stored` is false, and `turn.state` says why. Otherwise the quota that it reserved
-- becomes the count. `is_escalated`: whether the customer is escalated now.
-- Errors as in store_message_with_update; also 22023 an invalid p_interaction, and a p_message_id that belongs to a
-- customer's message.
CREATE OR REPLACE FUNCTION public.reply_ready(
    p_conversation_id uuid,
    p_content text,
    p_message_id text DEFAULT NULL,
    p_interaction jsonb DEFAULT NULL,
    p_user_id uuid DEFAULT NULL,
    p_personality_id uuid DEFAULT NULL,
    p_turn uuid DEFAULT NULL
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_is_traced boolean;
    v_begun CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
    v_interaction CONSTANT jsonb := nullif(p_interaction, 'null');
    v_stored json;
    v_is_new boolean;
    v_customer record;
    v_interaction_id uuid;
    v_quota json;
    v_numbers jsonb;
    v_instance_id uuid;
    v_turn json;
    v_is_counted boolean := false;
BEGIN
    IF v_interaction IS NOT NULL
        AND coalesce(pg_catalog.jsonb_typeof(v_interaction -> 'user_message'::text), 'null') <> 'string'
    THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = 'p_interaction must be a JSON object with the text user_message';
    END IF;

    IF p_turn IS NULL THEN
        v_stored := public.store_message_with_update(p_conversation_id, 'assistant', p_content, p_message_id);
    ELSE
        -- First the lock, so that what is read next cannot change.
        PERFORM FROM public.whatsapp_conversations AS conversation
        WHERE conversation.id = p_conversation_id
        FOR NO KEY UPDATE;
    END IF;

    SELECT
        conversation.instance_id, conversation.user_phone, coalesce(p_user_id, instance.user_id) AS business_id,
        EXISTS (
            SELECT
            FROM public.escalated_conversations AS escalation
            WHERE escalation.instance_id = conversation.instance_id
                AND escalation.whatsapp_number = ANY (public.whatsapp_forms(conversation.user_phone))
                AND escalation.resolved_at IS NULL
        ) AS is_escalated
    INTO v_customer
    FROM public.whatsapp_conversations AS conversation
    JOIN public.whatsapp_instances AS instance ON instance.id = conversation.instance_id
    WHERE conversation.id = p_conversation_id;

    IF p_turn IS NOT NULL THEN
        IF v_customer.instance_id IS NOT NULL THEN
            BEGIN
                v_turn := waops.reply_to_turn(
                    p_turn, p_conversation_id, p_message_id, v_customer.business_id, v_customer.is_escalated
                );
            EXCEPTION
                WHEN serialization_failure OR deadlock_detected THEN
                    RAISE;
                WHEN OTHERS THEN
                    RAISE WARNING 'reply_ready: turn not had: % (%)', SQLERRM, SQLSTATE;
                    v_turn := pg_catalog.json_build_object(
                        'state', CASE WHEN v_customer.is_escalated THEN 'escalated' ELSE 'unknown' END,
                        'stored', NOT v_customer.is_escalated
                    );
            END;
            IF (v_turn ->> 'stored'::text) = 'false' THEN
                RETURN pg_catalog.json_build_object(
                    'success', true,
                    'conversation_id', p_conversation_id,
                    'message_id', NULL,
                    'message_count', NULL,
                    'duplicate', false,
                    'timestamp', NULL,
                    'interaction_id', NULL,
                    'quota', public.check_and_update_ai_usage(v_customer.business_id, false),
                    'is_escalated', v_customer.is_escalated,
                    'turn', v_turn
                );
            END IF;
            v_is_counted := (v_turn ->> 'quota_reserved'::text) IS NOT DISTINCT FROM 'true';
        END IF;
        v_stored := public.store_message_with_update(p_conversation_id, 'assistant', p_content, p_message_id);
    END IF;
    v_is_new := (v_stored ->> 'duplicate'::text) = 'false';
    IF NOT v_is_new THEN
        IF EXISTS (
            SELECT
            FROM public.whatsapp_conversation_messages AS message
            WHERE message.id = (v_stored ->> 'message_id'::text)::uuid AND message.role = 'user'
        ) THEN
            RAISE EXCEPTION USING ERRCODE = '22023',
                MESSAGE = 'p_message_id is the id of a customer''s message; a reply needs an id that differs';
        END IF;
    END IF;

    IF v_interaction IS NOT NULL AND v_is_new THEN
        -- As the columns take them: 412.0 and "412" are 412, what is no integer or too large is null.
        SELECT coalesce(
            pg_catalog.jsonb_object_agg(
                detail.key,
                CASE
                    WHEN detail.value !~ '^\s*[+-]?\d{1,10}(\.\d{1,20})?\s*$' THEN NULL
                    WHEN pg_catalog.abs(detail.value::numeric) < 2147483647.5
                    THEN pg_catalog.round(detail.value::numeric)
                END
            ),
            '{}'
        )
        INTO v_numbers
        FROM pg_catalog.jsonb_each_text(v_interaction) AS detail
        WHERE detail.key IN (
            'context_token_count', 'search_result_count', 'prompt_tokens', 'completion_tokens', 'total_tokens'
        );

        INSERT INTO public.whatsapp_ai_interactions AS interaction (
            whatsapp_instance_id, user_phone, user_message, ai_response, context_token_count, search_result_count,
            response_model, prompt_tokens, completion_tokens, total_tokens, metadata
        )
        SELECT
            v_customer.instance_id, v_customer.user_phone, given.user_message, p_content, given.context_token_count,
            given.search_result_count, given.response_model, given.prompt_tokens, given.completion_tokens,
            given.total_tokens, coalesce(given.metadata, '{}')
        FROM pg_catalog.jsonb_to_record(v_interaction || v_numbers) AS given (
            user_message text, context_token_count integer, search_result_count integer, response_model text,
            prompt_tokens integer, completion_tokens integer, total_tokens integer, metadata jsonb
        )
        RETURNING interaction.id INTO v_interaction_id;
    END IF;

    -- Last, because businesses and personalities are shared by many conversations: locked as shortly as can be.
    BEGIN
        v_quota := public.check_and_update_ai_usage(v_customer.business_id, v_is_new AND NOT v_is_counted);
        IF v_is_counted AND v_is_new AND (v_quota ->> 'allowed'::text) = 'false' THEN
            v_quota := pg_catalog.jsonb_set(v_quota::jsonb, ARRAY['allowed'], 'true');
        END IF;
    EXCEPTION
        WHEN serialization_failure OR deadlock_detected THEN
            RAISE;
        WHEN OTHERS THEN
            RAISE WARNING 'reply_ready: quota not counted: % (%)', SQLERRM, SQLSTATE;
            v_quota := pg_catalog.json_build_object(
                'allowed', true, 'limit', 0, 'used', 0, 'resetsOn', NULL,
                'errorMessage', pg_catalog.format('The quota could not be counted: %s', SQLERRM), 'resetOverdue', false
            );
    END;
    IF p_personality_id IS NOT NULL AND v_is_new THEN
        -- Not by update_personality_usage_batch: it is for many ids, and each call would plan its statements again.
        UPDATE public.ai_personalities AS personality
        SET usage_count = least(coalesce(personality.usage_count, 0)::bigint + 1, 2147483647)::integer
        WHERE personality.id = p_personality_id
        RETURNING personality.whatsapp_instance_id INTO v_instance_id;

        UPDATE public.whatsapp_ai_config AS config
        SET total_personality_switches
            = least(coalesce(config.total_personality_switches, 0)::bigint + 1, 2147483647)::integer
        WHERE config.whatsapp_instance_id = v_instance_id;
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
            PERFORM waops.trace_call('reply_ready', v_begun, pg_catalog.jsonb_build_object(
                'conversation_id', p_conversation_id, 'message_id', v_stored -> 'message_id'::text,
                'interaction_id', v_interaction_id, 'duplicate', NOT v_is_new,
                'is_escalated', v_customer.is_escalated, 'allowed', v_quota -> 'allowed'::text,
                'turn', v_turn -> 'state'::text
            ));
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;

    RETURN pg_catalog.json_build_object(
        'success', true,
        'conversation_id', p_conversation_id,
        'message_id', v_stored -> 'message_id'::text,
        'message_count', v_stored -> 'message_count'::text,
        'duplicate', v_stored -> 'duplicate'::text,
        'timestamp', v_stored -> 'timestamp'::text,
        'interaction_id', v_interaction_id,
        'quota', v_quota,
        'is_escalated', v_customer.is_escalated,
        'turn', v_turn
    );
END
$$;
