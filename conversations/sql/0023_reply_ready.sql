-- All that happens when the AI's reply is ready, in one call: store it, record the interaction, count the quota and the
-- personality. A reply stored before under the same message id is `duplicate`, and nothing is counted again.
-- `p_interaction`: null, or an object with user_message and, as far as known, context_token_count, search_result_count,
-- response_model, prompt_tokens, completion_tokens, total_tokens, metadata. `p_user_id`: whose quota counts;
-- null means the owner of the conversation's number. `quota.allowed` false: the limit was reached since the message
-- arrived; the reply is stored all the same, because its customer was accepted, and it is not counted.
-- Errors as of store_message_with_update; 22023 also a p_interaction that is no such object.
CREATE OR REPLACE FUNCTION public.reply_ready(
    p_conversation_id uuid,
    p_content text,
    p_message_id text DEFAULT NULL,
    p_interaction jsonb DEFAULT NULL,
    p_user_id uuid DEFAULT NULL,
    p_personality_id uuid DEFAULT NULL
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_interaction CONSTANT jsonb := nullif(p_interaction, 'null');
    v_stored json;
    v_is_new boolean;
    v_customer record;
    v_interaction_id uuid;
    v_quota json;
    v_instance_id uuid;
BEGIN
    IF v_interaction IS NOT NULL AND coalesce(jsonb_typeof(v_interaction -> 'user_message'), 'null') <> 'string' THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = 'p_interaction must be a JSON object with the text user_message';
    END IF;

    v_stored := public.store_message_with_update(p_conversation_id, 'assistant', p_content, p_message_id);
    v_is_new := v_stored ->> 'duplicate' = 'false';

    SELECT conversation.instance_id, conversation.user_phone, coalesce(p_user_id, instance.user_id) AS business_id
    INTO v_customer
    FROM public.whatsapp_conversations AS conversation
    JOIN public.whatsapp_instances AS instance ON instance.id = conversation.instance_id
    WHERE conversation.id = p_conversation_id;

    IF v_interaction IS NOT NULL AND v_is_new THEN
        INSERT INTO public.whatsapp_ai_interactions AS interaction (
            whatsapp_instance_id, user_phone, user_message, ai_response, context_token_count, search_result_count,
            response_model, prompt_tokens, completion_tokens, total_tokens, metadata
        )
        SELECT
            v_customer.instance_id, v_customer.user_phone, given.user_message, p_content, given.context_token_count,
            given.search_result_count, given.response_model, given.prompt_tokens, given.completion_tokens,
            given.total_tokens, coalesce(given.metadata, '{}')
        FROM jsonb_to_record(v_interaction) AS given (
            user_message text, context_token_count integer, search_result_count integer, response_model text,
            prompt_tokens integer, completion_tokens integer, total_tokens integer, metadata jsonb
        )
        RETURNING interaction.id INTO v_interaction_id;
    END IF;

    -- Last, because businesses and personalities are shared by many conversations: locked as shortly as can be.
    v_quota := public.check_and_update_ai_usage(v_customer.business_id, v_is_new);
    IF p_personality_id IS NOT NULL AND v_is_new THEN
        -- Not by update_personality_usage_batch: made for many ids, its statements are planned anew for each single one.
        UPDATE public.ai_personalities AS personality
        SET usage_count = coalesce(personality.usage_count, 0) + 1
        WHERE personality.id = p_personality_id
        RETURNING personality.whatsapp_instance_id INTO v_instance_id;

        UPDATE public.whatsapp_ai_config AS config
        SET total_personality_switches = coalesce(config.total_personality_switches, 0) + 1
        WHERE config.whatsapp_instance_id = v_instance_id;
    END IF;

    IF current_setting('waops.trace', true) = 'on' THEN
        RAISE LOG 'reply_ready: conversation=% message=% interaction=% duplicate=%',
            p_conversation_id, v_stored ->> 'message_id', v_interaction_id, NOT v_is_new;
    END IF;

    RETURN json_build_object(
        'success', true,
        'conversation_id', p_conversation_id,
        'message_id', v_stored -> 'message_id',
        'message_count', v_stored -> 'message_count',
        'duplicate', v_stored -> 'duplicate',
        'timestamp', v_stored -> 'timestamp',
        'interaction_id', v_interaction_id,
        'quota', v_quota
    );
END
$$;
