-- Store several messages of one conversation in one statement. `p_messages` is an array, oldest first, of objects with
-- `role`, `content` and, if there is one, `message_id`. `messages` in the result has the same order; a message that the
-- conversation has already, or that is given twice, is a duplicate and has the first row's id.
-- Timestamps are a microsecond apart, and later than those of all earlier messages.
-- Errors as in store_message_with_update; also 22023 more than 1000 messages, or an invalid element. An element that a
-- trigger discards refuses the whole batch.
CREATE OR REPLACE FUNCTION public.store_messages(p_conversation_id uuid, p_messages jsonb) RETURNS json
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, extensions, pg_temp
AS $$
DECLARE
    v_is_traced boolean;
    v_begun CONSTANT timestamp with time zone := pg_catalog.clock_timestamp();
    v_ids uuid[];
    v_wrong bigint;
    v_last timestamp with time zone;
    v_stored integer;
    v_last_role text;
    v_place bigint;
    v_content text;
    v_count bigint;
    v_lock_timeout CONSTANT text := pg_catalog.current_setting('lock_timeout');
    v_setting text;
    v_answers json;
BEGIN
    IF p_conversation_id IS NULL OR p_messages IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22004', MESSAGE = pg_catalog.format(
            '%s must not be null',
            CASE WHEN p_conversation_id IS NULL THEN 'p_conversation_id' ELSE 'p_messages' END
        );
    END IF;
    IF pg_catalog.jsonb_typeof(p_messages) <> 'array' THEN
        RAISE EXCEPTION USING ERRCODE = '22023', MESSAGE = 'p_messages must be a JSON array';
    END IF;
    IF pg_catalog.jsonb_array_length(p_messages) > 1000 THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = pg_catalog.format(
                'p_messages has %s elements; at most 1000 are allowed', pg_catalog.jsonb_array_length(p_messages)
            );
    END IF;
    SELECT pg_catalog.min(given.place)
    INTO v_wrong
    FROM pg_catalog.jsonb_array_elements(p_messages) WITH ORDINALITY AS given (item, place)
    WHERE pg_catalog.jsonb_typeof(given.item) <> 'object'
        OR coalesce(given.item ->> 'role'::text, '') NOT IN ('user', 'assistant')
        OR coalesce(pg_catalog.jsonb_typeof(given.item -> 'content'::text), 'null') <> 'string'
        OR coalesce(pg_catalog.jsonb_typeof(given.item -> 'message_id'::text), 'null') NOT IN ('string', 'null')
        OR pg_catalog.length(given.item ->> 'message_id'::text) > 512;
    IF v_wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = pg_catalog.format('Element %s of p_messages is no message', v_wrong),
            HINT = 'A message has role "user" or "assistant", content (text) and perhaps a message_id of at most 512'
                ' characters.';
    END IF;

    FOR v_place, v_content IN
        SELECT given.place, given.item ->> 'content'::text
        FROM pg_catalog.jsonb_array_elements(p_messages) WITH ORDINALITY AS given (item, place)
        WHERE pg_catalog.octet_length(given.item ->> 'content'::text) > 150000
            AND pg_catalog.to_regclass('public.idx_messages_content_gin') IS NOT NULL
    LOOP
        BEGIN
            PERFORM pg_catalog.to_tsvector('simple'::regconfig, v_content);
        EXCEPTION WHEN program_limit_exceeded THEN
            RAISE EXCEPTION USING ERRCODE = '54000', MESSAGE = pg_catalog.format(
                'Element %s of p_messages has too many different words: %s bytes, of which idx_messages_content_gin'
                ' takes 1 MB',
                v_place, pg_catalog.octet_length(v_content)
            ), HINT = 'Split the message into parts of at most 150000 bytes.';
        END;
    END LOOP;

    PERFORM FROM public.whatsapp_conversations AS conversation
    WHERE conversation.id = p_conversation_id
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '23503',
            MESSAGE = pg_catalog.format('Conversation %s does not exist', p_conversation_id);
    END IF;

    v_ids := ARRAY(
        SELECT pg_catalog.gen_random_uuid()
        FROM pg_catalog.generate_series(1, pg_catalog.jsonb_array_length(p_messages))
    );
    -- As in store_message_with_update. Times more than a day ahead are ignored.
    SELECT greatest(
        pg_catalog.now(),
        CASE
            WHEN conversation.last_activity < pg_catalog.now() + interval '1 day'
            THEN conversation.last_activity + interval '1 microsecond' * pg_catalog.cardinality(v_ids)::float8
        END,
        (
            SELECT newest."timestamp" + interval '1 microsecond' * pg_catalog.cardinality(v_ids)::float8
            FROM public.whatsapp_conversation_messages AS newest
            WHERE newest.conversation_id = p_conversation_id
                AND newest."timestamp" < pg_catalog.now() + interval '1 day'
            ORDER BY newest."timestamp" DESC
            LIMIT 1
        )
    )
    INTO v_last
    FROM public.whatsapp_conversations AS conversation
    WHERE conversation.id = p_conversation_id;

    WITH stored AS (
        INSERT INTO public.whatsapp_conversation_messages
            (id, conversation_id, "timestamp", role, content, message_id, metadata)
        SELECT
            v_ids[given.place],
            p_conversation_id,
            v_last - interval '1 microsecond' * (pg_catalog.cardinality(v_ids)::bigint - given.place)::float8,
            given.item ->> 'role'::text,
            given.item ->> 'content'::text,
            nullif(given.item ->> 'message_id'::text, ''),
            pg_catalog.jsonb_build_object(
                'estimated_tokens',
                pg_catalog.ceil(pg_catalog.length(given.item ->> 'content'::text)::numeric * 0.25),
                'timestamp', v_last
            )
        FROM pg_catalog.jsonb_array_elements(p_messages) WITH ORDINALITY AS given (item, place)
        -- Without its unique index, dropped by hand, say, only this look finds a duplicate.
        WHERE pg_catalog.to_regclass('public.uniq_messages_conversation_message_id') IS NOT NULL OR NOT EXISTS (
            SELECT
            FROM public.whatsapp_conversation_messages AS earlier
            WHERE earlier.conversation_id = p_conversation_id
                AND earlier.message_id = nullif(given.item ->> 'message_id'::text, '')
            UNION ALL
            SELECT
            FROM pg_catalog.jsonb_array_elements(p_messages) WITH ORDINALITY AS before (item, place)
            WHERE before.place < given.place
                AND before.item ->> 'message_id'::text = nullif(given.item ->> 'message_id'::text, '')
        )
        ORDER BY given.place
        ON CONFLICT DO NOTHING
        RETURNING role, "timestamp"
    )
    SELECT pg_catalog.count(*), (pg_catalog.array_agg(stored.role ORDER BY stored."timestamp" DESC))[1]
    INTO v_stored, v_last_role
    FROM stored;

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
                    AND (v_stored = 0 OR counted.noted_at = pg_catalog.statement_timestamp())
                    AND NOT pg_catalog.row_security_active('waops.message_count_missed'::regclass::oid)
                    AND NOT EXISTS (
                        SELECT FROM waops.message_count_missed AS missed WHERE missed.conversation_id = p_conversation_id
                    );
            END IF;
            IF v_count IS NULL THEN
                v_count := waops.exact_count(p_conversation_id, v_stored > 0);
            END IF;
            -- Adoption is measured by it: see waops/dbops/adoption.py.
            IF v_stored > 0 THEN
                PERFORM pg_catalog.nextval('waops.stored_by_function'::regclass)
                FROM pg_catalog.generate_series(1, v_stored);
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

    IF v_stored > 0 THEN
        UPDATE public.whatsapp_conversations AS conversation
        SET last_activity = CASE
                WHEN conversation.last_activity < pg_catalog.now() + interval '1 day'
                THEN greatest(conversation.last_activity, v_last)
                ELSE v_last
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
                    'last_update', v_last, 'message_count', v_count, 'last_message_role', v_last_role
                )
            )
        WHERE conversation.id = p_conversation_id;
    END IF;

    SELECT
        coalesce(
            pg_catalog.json_agg(
                pg_catalog.json_build_object(
                    'message_id', coalesce(stored.id, earlier.id),
                    'duplicate', stored.id IS NULL,
                    'timestamp', coalesce(stored."timestamp", earlier."timestamp")
                )
                ORDER BY given.place
            ),
            '[]'
        ),
        pg_catalog.min(given.place) FILTER (WHERE stored.id IS NULL AND earlier.id IS NULL)
    INTO v_answers, v_wrong
    FROM pg_catalog.jsonb_array_elements(p_messages) WITH ORDINALITY AS given (item, place)
    LEFT JOIN public.whatsapp_conversation_messages AS stored ON stored.id = v_ids[given.place]
    LEFT JOIN LATERAL (
        SELECT message.id, message."timestamp"
        FROM public.whatsapp_conversation_messages AS message
        WHERE stored.id IS NULL
            AND message.conversation_id = p_conversation_id
            AND message.message_id = nullif(given.item ->> 'message_id'::text, '')
        ORDER BY message."timestamp", message.id
        LIMIT 1
    ) AS earlier ON true;
    IF v_wrong IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = pg_catalog.format(
            'Element %s of p_messages was not stored: a trigger on whatsapp_conversation_messages discarded it', v_wrong
        );
    END IF;

    IF v_is_traced THEN
        BEGIN
            PERFORM waops.trace_call('store_messages', v_begun, pg_catalog.jsonb_build_object(
                    'conversation_id', p_conversation_id, 'given', pg_catalog.cardinality(v_ids),
                    'stored', v_stored, 'message_count', v_count
                ));
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;

    RETURN pg_catalog.json_build_object(
        'success', true,
        'conversation_id', p_conversation_id,
        'message_count', v_count,
        'stored', v_stored,
        'duplicates', pg_catalog.cardinality(v_ids) - v_stored,
        'messages', v_answers
    );
END
$$;
