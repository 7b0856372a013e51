-- Store several messages of one conversation in one statement. `p_messages` is an array, oldest first, of objects with
-- `role`, `content` and, if there is one, `message_id`. The answer's `messages` follow its order; a message that the
-- conversation has already, or that is given twice, is a duplicate and has the first row's id.
-- Errors as of store_message_with_update; 22023 also for more than 1000 messages, or an element that is none.
CREATE OR REPLACE FUNCTION public.store_messages(p_conversation_id uuid, p_messages jsonb) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ids uuid[];
    v_wrong bigint;
    v_stored integer;
    v_last_role text;
    v_count bigint;
    v_answers json;
BEGIN
    IF p_conversation_id IS NULL OR p_messages IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = format(
            '%s must not be null',
            CASE WHEN p_conversation_id IS NULL THEN 'p_conversation_id' ELSE 'p_messages' END
        );
    END IF;
    IF jsonb_typeof(p_messages) <> 'array' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'p_messages must be a JSON array';
    END IF;
    IF jsonb_array_length(p_messages) > 1000 THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = format('p_messages has %s elements; at most 1000 are allowed', jsonb_array_length(p_messages));
    END IF;
    SELECT min(given.place)
    INTO v_wrong
    FROM jsonb_array_elements(p_messages) WITH ORDINALITY AS given (item, place)
    WHERE jsonb_typeof(given.item) <> 'object'
        OR coalesce(given.item ->> 'role', '') NOT IN ('user', 'assistant')
        OR coalesce(jsonb_typeof(given.item -> 'content'), 'null') <> 'string'
        OR coalesce(jsonb_typeof(given.item -> 'message_id'), 'null') NOT IN ('string', 'null')
        OR length(given.item ->> 'message_id') > 512;
    IF v_wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = format('Element %s of p_messages is no message', v_wrong),
            HINT = 'A message has role "user" or "assistant", content (text) and perhaps a message_id of at most 512'
                ' characters.';
    END IF;

    PERFORM FROM public.whatsapp_conversations AS conversation
    WHERE conversation.id = p_conversation_id
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = format('Conversation %s does not exist', p_conversation_id);
    END IF;

    v_ids := ARRAY(SELECT gen_random_uuid() FROM generate_series(1, jsonb_array_length(p_messages)));
    -- A microsecond apart, the last one now: the order given is the order read.
    WITH stored AS (
        INSERT INTO public.whatsapp_conversation_messages
            (id, conversation_id, "timestamp", role, content, message_id, metadata)
        SELECT
            v_ids[given.place],
            p_conversation_id,
            now() - (cardinality(v_ids) - given.place) * interval '1 microsecond',
            given.item ->> 'role',
            given.item ->> 'content',
            nullif(given.item ->> 'message_id', ''),
            jsonb_build_object(
                'estimated_tokens', ceil(length(given.item ->> 'content') * 0.25), 'timestamp', now()
            )
        FROM jsonb_array_elements(p_messages) WITH ORDINALITY AS given (item, place)
        ORDER BY given.place
        ON CONFLICT (conversation_id, message_id) DO NOTHING
        RETURNING role, "timestamp"
    )
    SELECT count(*), (array_agg(stored.role ORDER BY stored."timestamp" DESC))[1]
    INTO v_stored, v_last_role
    FROM stored;

    v_count := CASE
        WHEN v_stored = 0 THEN waops.messages_of(p_conversation_id)
        ELSE waops.touch_conversation(p_conversation_id, v_last_role)
    END;

    SELECT coalesce(
        json_agg(
            json_build_object(
                'message_id', coalesce(stored.id, earlier.id),
                'duplicate', stored.id IS NULL,
                'timestamp', coalesce(stored."timestamp", earlier."timestamp")
            )
            ORDER BY given.place
        ),
        '[]'
    )
    INTO v_answers
    FROM jsonb_array_elements(p_messages) WITH ORDINALITY AS given (item, place)
    LEFT JOIN public.whatsapp_conversation_messages AS stored ON stored.id = v_ids[given.place]
    LEFT JOIN public.whatsapp_conversation_messages AS earlier
        ON stored.id IS NULL
        AND earlier.conversation_id = p_conversation_id
        AND earlier.message_id = given.item ->> 'message_id';

    IF current_setting('waops.trace', true) = 'on' THEN
        RAISE LOG 'store_messages: conversation=% given=% stored=% count=%',
            p_conversation_id, cardinality(v_ids), v_stored, v_count;
    END IF;

    RETURN json_build_object(
        'success', true,
        'conversation_id', p_conversation_id,
        'message_count', v_count,
        'stored', v_stored,
        'duplicates', cardinality(v_ids) - v_stored,
        'messages', v_answers
    );
END
$$;
