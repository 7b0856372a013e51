-- Store one message and bring its conversation up to date. `message_count` includes it. `duplicate`: the conversation
-- has this message id already; nothing is written, and the first row is answered.
-- Errors: 22004 a null, 22023 a bad role or id, 23503 no such conversation, 40001 the first row of a duplicate was
-- deleted meanwhile.
CREATE OR REPLACE FUNCTION public.store_message_with_update(
    p_conversation_id uuid,
    p_role text,
    p_content text,
    p_message_id text DEFAULT NULL
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id uuid;
    v_timestamp timestamp with time zone;
    v_duplicate boolean := false;
    v_count bigint;
BEGIN
    IF p_conversation_id IS NULL OR p_role IS NULL OR p_content IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = format(
            '%s must not be null',
            CASE
                WHEN p_conversation_id IS NULL THEN 'p_conversation_id'
                WHEN p_role IS NULL THEN 'p_role'
                ELSE 'p_content'
            END
        );
    END IF;
    IF p_role NOT IN ('user', 'assistant') THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = format('p_role must be "user" or "assistant", not "%s"', left(p_role, 50));
    END IF;
    IF length(p_message_id) > 512 THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = format('p_message_id has %s characters; at most 512 are allowed', length(p_message_id));
    END IF;

    -- Locks the conversation before the message and its count, always in this order, as plain inserts do. An empty id
    -- says no more than none: it must not make two messages duplicates.
    INSERT INTO public.whatsapp_conversation_messages AS message
        (conversation_id, role, content, message_id, metadata)
    SELECT
        conversation.id, p_role, p_content, nullif(p_message_id, ''),
        jsonb_build_object('estimated_tokens', ceil(length(p_content) * 0.25), 'timestamp', now())
    FROM public.whatsapp_conversations AS conversation
    WHERE conversation.id = p_conversation_id
    FOR NO KEY UPDATE
    ON CONFLICT (conversation_id, message_id) DO NOTHING
    RETURNING message.id, message."timestamp" INTO v_id, v_timestamp;

    IF FOUND THEN
        v_count := waops.touch_conversation(p_conversation_id, p_role);
    ELSE
        SELECT message.id, message."timestamp", waops.messages_of(p_conversation_id)
        INTO v_id, v_timestamp, v_count
        FROM public.whatsapp_conversation_messages AS message
        WHERE message.conversation_id = p_conversation_id AND message.message_id = p_message_id;
        v_duplicate := FOUND;
        IF NOT v_duplicate THEN
            PERFORM FROM public.whatsapp_conversations AS conversation WHERE conversation.id = p_conversation_id;
            IF FOUND THEN
                RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = format(
                    'Message %s was deleted while it was delivered again: repeat the call', p_message_id
                );
            END IF;
            RAISE EXCEPTION USING ERRCODE = '23503',
                MESSAGE = format('Conversation %s does not exist', p_conversation_id);
        END IF;
    END IF;

    IF current_setting('waops.trace', true) = 'on' THEN
        RAISE LOG 'store_message_with_update: conversation=% role=% id=% duplicate=% count=%',
            p_conversation_id, p_role, v_id, v_duplicate, v_count;
    END IF;

    RETURN json_build_object(
        'success', true,
        'message_id', v_id,
        'conversation_id', p_conversation_id,
        'message_count', v_count,
        'duplicate', v_duplicate,
        'timestamp', v_timestamp
    );
END
$$;
