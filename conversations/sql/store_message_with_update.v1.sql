-- Store one message and update its conversation. `message_count` includes it. `duplicate`: the conversation has this
-- message id already; nothing is written, and the first row is returned.
-- `timestamp`: later than that of every earlier message, also with overlapping calls and within one transaction.
-- Errors: 22004 a null, 22023 an invalid role or id, 23503 no such conversation, 54000 a text that the index on its
-- words cannot hold, 55000 a trigger discarded the message. Never 40001, which PostgREST retries without limit.
-- Needs nothing of schema waops: without the kept count it counts.
CREATE OR REPLACE FUNCTION public.store_message_with_update(
    p_conversation_id uuid,
    p_role text,
    p_content text,
    p_message_id text DEFAULT NULL
) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_is_traced boolean;
    v_begun CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    v_drawn bigint;
    -- An empty id says no more than none: it must not make two messages duplicates.
    v_message_id CONSTANT text := nullif(p_message_id, '');
    v_id uuid;
    v_timestamp timestamp with time zone;
    v_duplicate boolean := false;
    v_count bigint;
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
BEGIN
    IF p_conversation_id IS NULL OR p_role IS NULL OR p_content IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = pg_catalog.format(
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
            MESSAGE = pg_catalog.format('p_role must be "user" or "assistant", not "%s"', pg_catalog.left(p_role, 50));
    END IF;
    IF pg_catalog.length(v_message_id) > 512 THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = pg_catalog.format(
            'p_message_id has %s characters; at most 512 are allowed', pg_catalog.length(v_message_id)
        );
    END IF;
    IF pg_catalog.octet_length(p_content) > 150000
        AND pg_catalog.to_regclass('public.idx_messages_content_gin') IS NOT NULL
    THEN
        BEGIN
            PERFORM pg_catalog.to_tsvector('simple'::regconfig, p_content);
        EXCEPTION WHEN program_limit_exceeded THEN
            RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = pg_catalog.format(
                'p_content has too many different words: %s bytes, of which idx_messages_content_gin takes 1 MB',
                pg_catalog.octet_length(p_content)
            ), HINT = 'Split the message into parts of at most 150000 bytes.';
        END;
    END IF;

    -- Without its unique index, dropped by hand, say, only this look finds a duplicate.
    IF v_message_id IS NOT NULL
        AND pg_catalog.to_regclass('public.uniq_messages_conversation_message_id') IS NULL
    THEN
        PERFORM FROM public.whatsapp_conversations AS conversation
        WHERE conversation.id = p_conversation_id
        FOR NO KEY UPDATE;
        SELECT message.id, message."timestamp"
        INTO v_id, v_timestamp
        FROM public.whatsapp_conversation_messages AS message
        WHERE message.conversation_id = p_conversation_id AND message.message_id = v_message_id
        ORDER BY message."timestamp", message.id
        LIMIT 1;
        v_duplicate := FOUND;
    END IF;

    FOR v_try IN 1..3 LOOP
        EXIT WHEN v_duplicate;
        -- Locks the conversation before the message and its count, always in this order, as plain inserts do. The time is
        -- now(), as the deployed trigger sets last_activity, so that the UPDATE below changes no indexed column (HOT). It
        -- follows that of the last call that held the lock, and that of the newest message, whose plain insert may have
        -- named another time. Times more than a day ahead are ignored.
        INSERT INTO public.whatsapp_conversation_messages AS message
            (conversation_id, "timestamp", role, content, message_id, metadata)
        SELECT
            locked.id, locked.moment, p_role, p_content, v_message_id,
            pg_catalog.jsonb_build_object(
                'estimated_tokens', pg_catalog.ceil(pg_catalog.length(p_content)::numeric * 0.25),
                'timestamp', locked.moment
            )
        FROM (
            SELECT
                conversation.id,
                greatest(
                    pg_catalog.now(),
                    CASE
                        WHEN conversation.last_activity < pg_catalog.now() + interval '1 day'
                        THEN conversation.last_activity + interval '1 microsecond'
                    END,
                    (
                        SELECT newest."timestamp" + interval '1 microsecond'
                        FROM public.whatsapp_conversation_messages AS newest
                        WHERE newest.conversation_id = p_conversation_id
                            AND newest."timestamp" < pg_catalog.now() + interval '1 day'
                        ORDER BY newest."timestamp" DESC
                        LIMIT 1
                    )
                ) AS moment
            FROM public.whatsapp_conversations AS conversation
            WHERE conversation.id = p_conversation_id
            FOR NO KEY UPDATE
        ) AS locked
        -- Names no index, so that it works without one.
        ON CONFLICT DO NOTHING
        RETURNING message.id, message."timestamp" INTO v_id, v_timestamp;
        EXIT WHEN FOUND;

        SELECT message.id, message."timestamp"
        INTO v_id, v_timestamp
        FROM public.whatsapp_conversation_messages AS message
        WHERE message.conversation_id = p_conversation_id AND message.message_id = v_message_id;
        v_duplicate := FOUND;
        EXIT WHEN v_duplicate;

        PERFORM FROM public.whatsapp_conversations AS conversation WHERE conversation.id = p_conversation_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = '23503',
                MESSAGE = pg_catalog.format('Conversation %s does not exist', p_conversation_id);
        END IF;
        -- Otherwise the first row was deleted in between.
        IF v_try = 3 OR v_message_id IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = '55000',
                MESSAGE = 'The message was not stored: a trigger on whatsapp_conversation_messages discarded it',
                HINT = 'Or a unique constraint other than that of conversation_id and message_id.';
        END IF;
    END LOOP;

    BEGIN
        -- Waits for the count are short, and over once the trigger has waited in vain.
        IF coalesce(pg_catalog.current_setting('waops.count_waits', true), '') = '' THEN
            v_setting := pg_catalog.set_config('lock_timeout', '40', true);
            -- This look usually suffices, and costs less than entering exact_count. Not with an older snapshot: a plan made
            -- there would keep what waops.count_basis read in it. Not in a trigger: see exact_count.
            IF pg_catalog.current_setting('transaction_isolation') = 'read committed'
                AND pg_catalog.pg_trigger_depth() = 0
            THEN
                SELECT counted.messages
                INTO v_count
                FROM waops.message_count AS counted
                JOIN waops.message_count_lost AS lost ON NOT lost.is_called
                WHERE counted.conversation_id = p_conversation_id
                    AND counted.basis = waops.count_basis('public.whatsapp_conversation_messages'::regclass)
                    AND (v_duplicate OR counted.noted_at = pg_catalog.statement_timestamp())
                    AND NOT pg_catalog.row_security_active('waops.message_count_missed'::regclass::oid)
                    AND NOT EXISTS (
                        SELECT FROM waops.message_count_missed AS missed WHERE missed.conversation_id = p_conversation_id
                    );
            END IF;
            IF v_count IS NULL THEN
                v_count := waops.exact_count(p_conversation_id, NOT v_duplicate);
            END IF;
            -- Adoption is measured by it: see waops/dbops/adoption.py.
            IF NOT v_duplicate THEN
                v_drawn := pg_catalog.nextval('waops.stored_by_function'::regclass);
            END IF;
            v_is_traced := pg_catalog.pg_sequence_last_value('waops.traced_until'::regclass)
                > pg_catalog.date_part('epoch', pg_catalog.now());
            v_setting := pg_catalog.set_config('lock_timeout', v_lock_timeout, true);
        END IF;
    EXCEPTION
        WHEN lock_not_available THEN
            PERFORM pg_catalog.set_config('waops.count_waits', 'count', true);
        WHEN OTHERS THEN
            NULL;
    END;
    IF v_count IS NULL THEN
        SELECT pg_catalog.count(*)
        INTO v_count
        FROM public.whatsapp_conversation_messages AS message
        WHERE message.conversation_id = p_conversation_id;
    END IF;

    IF NOT v_duplicate THEN
        UPDATE public.whatsapp_conversations AS conversation
        SET last_activity = CASE
                WHEN conversation.last_activity < pg_catalog.now() + interval '1 day'
                THEN greatest(conversation.last_activity, v_timestamp)
                ELSE v_timestamp
            END,
            -- Whatever else the data holds survives: what is no object goes under the key `value`.
            conversation_data = CASE coalesce(pg_catalog.jsonb_typeof(conversation.conversation_data), 'null')
                WHEN 'object' THEN conversation.conversation_data
                WHEN 'null' THEN '{}'::jsonb
                ELSE pg_catalog.jsonb_build_object('value', conversation.conversation_data)
            END || pg_catalog.jsonb_build_object(
                'context',
                CASE coalesce(pg_catalog.jsonb_typeof(conversation.conversation_data -> 'context'::text), 'null')
                    WHEN 'object' THEN conversation.conversation_data -> 'context'::text
                    WHEN 'null' THEN '{}'::jsonb
                    ELSE pg_catalog.jsonb_build_object('value', conversation.conversation_data -> 'context'::text)
                END || pg_catalog.jsonb_build_object(
                    'last_update', v_timestamp, 'message_count', v_count, 'last_message_role', p_role
                )
            )
        WHERE conversation.id = p_conversation_id;
    END IF;

    IF v_is_traced THEN
        BEGIN
            PERFORM waops.trace_call('store_message_with_update', v_begun, pg_catalog.jsonb_build_object(
                    'conversation_id', p_conversation_id, 'role', p_role, 'message_id', v_id,
                    'duplicate', v_duplicate, 'message_count', v_count
                ));
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;

    RETURN pg_catalog.json_build_object(
        'success', true,
        'message_id', v_id,
        'conversation_id', p_conversation_id,
        'message_count', v_count,
        'duplicate', v_duplicate,
        'timestamp', v_timestamp
    );
END
$$;
