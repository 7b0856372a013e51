-- Trigger on public.whatsapp_conversation_messages, once per statement: adds the difference to waops.message_count.
-- It never counts, never fails the statement that fired it, and waits at most 40 ms per transaction (waops.count_waits)
-- for a count that others hold. What it cannot add it reports as missing: in waops.message_count_missed or, if that
-- fails too, by waops.message_count_lost, which is found without the name of its schema.
-- SECURITY DEFINER: the roles that write messages may not write the counts.
CREATE OR REPLACE FUNCTION waops.count_messages() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '40ms'
AS $$
DECLARE
    v_waits CONSTANT text := coalesce(current_setting('waops.count_waits', true), '');
    v_ids uuid[];
    v_differences bigint[];
BEGIN
    BEGIN
        -- In the order of their ids, so that two statements on several conversations do not wait for each other.
        IF TG_OP = 'INSERT' THEN
            SELECT array_agg(changed.conversation_id), array_agg(changed.difference)
            INTO v_ids, v_differences
            FROM (
                SELECT added.conversation_id, count(*) AS difference
                FROM added
                GROUP BY added.conversation_id
                ORDER BY added.conversation_id
            ) AS changed;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(changed.conversation_id), array_agg(changed.difference)
            INTO v_ids, v_differences
            FROM (
                SELECT removed.conversation_id, -count(*) AS difference
                FROM removed
                GROUP BY removed.conversation_id
                ORDER BY removed.conversation_id
            ) AS changed;
        ELSIF TG_OP = 'UPDATE' THEN
            SELECT array_agg(changed.conversation_id), array_agg(changed.difference)
            INTO v_ids, v_differences
            FROM (
                SELECT moved.conversation_id, sum(moved.difference)::bigint AS difference
                FROM (
                    SELECT added.conversation_id, 1 AS difference FROM added
                    UNION ALL
                    SELECT removed.conversation_id, -1 FROM removed
                ) AS moved
                GROUP BY moved.conversation_id
                HAVING sum(moved.difference) <> 0
                ORDER BY moved.conversation_id
            ) AS changed;
        ELSE
            TRUNCATE waops.message_count, waops.message_count_missed;
        END IF;
        IF v_ids IS NULL THEN
            RETURN NULL;
        END IF;

        IF v_waits = '' THEN
            IF cardinality(v_ids) > 1 THEN
                PERFORM set_config('lock_timeout', greatest(1, 40 / cardinality(v_ids))::text, true);
            END IF;
            FOR v_place IN 1..cardinality(v_ids) LOOP
                -- Nothing for a conversation that is deleted together with its messages.
                -- In a condition of its own: with TG_OP in it, it would be planned again each time.
                IF TG_OP = 'DELETE' THEN
                    PERFORM FROM public.whatsapp_conversations AS conversation WHERE conversation.id = v_ids[v_place];
                    IF NOT FOUND THEN
                        DELETE FROM waops.message_count AS counted WHERE counted.conversation_id = v_ids[v_place];
                        CONTINUE;
                    END IF;
                END IF;
                INSERT INTO waops.message_count AS counted (conversation_id, table_oid, noted_at)
                VALUES (v_ids[v_place], TG_RELID, statement_timestamp())
                ON CONFLICT (conversation_id) DO UPDATE
                SET messages = CASE
                        WHEN counted.counted_at IS DISTINCT FROM statement_timestamp() AND counted.table_oid = TG_RELID
                        THEN counted.messages + v_differences[v_place]
                    END,
                    table_oid = TG_RELID,
                    noted_at = statement_timestamp();
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'a trigger discarded the count';
                END IF;
            END LOOP;
            RETURN NULL;
        END IF;
    EXCEPTION
        WHEN lock_not_available THEN
            PERFORM set_config('waops.count_waits', 'count', true);
        WHEN OTHERS THEN
            NULL;
    END;

    IF v_ids IS NOT NULL AND v_waits <> 'missed' THEN
        BEGIN
            PERFORM set_config('lock_timeout', '5', true);
            INSERT INTO waops.message_count_missed (conversation_id) SELECT unnest(v_ids);
            IF FOUND THEN
                RETURN NULL;
            END IF;
        EXCEPTION
            WHEN lock_not_available THEN
                PERFORM set_config('waops.count_waits', 'missed', true);
            WHEN OTHERS THEN
                NULL;
        END;
    END IF;

    BEGIN
        PERFORM set_config('lock_timeout', '1', true);
        PERFORM nextval(lost.oid::regclass)
        FROM pg_trigger AS fired
        JOIN pg_proc AS this ON this.oid = fired.tgfoid
        JOIN pg_class AS lost
            ON lost.relnamespace = this.pronamespace AND lost.relname = 'message_count_lost' AND lost.relkind = 'S'
        WHERE fired.tgrelid = TG_RELID AND fired.tgname = TG_NAME;
        IF FOUND THEN
            RETURN NULL;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    RAISE WARNING 'waops: a message count may be wrong, and this could not be noted';
    RETURN NULL;
END
$$;
