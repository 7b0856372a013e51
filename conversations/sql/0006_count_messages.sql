-- Trigger of public.whatsapp_conversation_messages, once per statement: keeps waops.message_count.
-- SECURITY DEFINER, alone among our functions: whoever may write messages may not write the count. As the tables' owner
-- it also sees every message, whatever row-level security shows to the writer.
-- A new conversation's row races with other writers of it: their messages are invisible to our count until they commit,
-- and then they add theirs to our row, or we add ours to theirs.
CREATE OR REPLACE FUNCTION waops.count_messages() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_changes refcursor;
    v_conversation_id uuid;
    v_difference bigint;
BEGIN
    -- In the order of their ids, so that two statements on several conversations cannot deadlock on the counts.
    IF TG_OP = 'INSERT' THEN
        OPEN v_changes FOR
            SELECT added.conversation_id, count(*)
            FROM added
            GROUP BY added.conversation_id
            ORDER BY added.conversation_id;
    ELSIF TG_OP = 'DELETE' THEN
        OPEN v_changes FOR
            SELECT removed.conversation_id, -count(*)
            FROM removed
            GROUP BY removed.conversation_id
            ORDER BY removed.conversation_id;
    ELSIF TG_OP = 'UPDATE' THEN
        OPEN v_changes FOR
            SELECT moved.conversation_id, sum(moved.difference)::bigint
            FROM (
                SELECT added.conversation_id, 1 AS difference FROM added
                UNION ALL
                SELECT removed.conversation_id, -1 FROM removed
            ) AS moved
            GROUP BY moved.conversation_id
            HAVING sum(moved.difference) <> 0
            ORDER BY moved.conversation_id;
    ELSE
        TRUNCATE waops.message_count;
        RETURN NULL;
    END IF;

    LOOP
        FETCH v_changes INTO v_conversation_id, v_difference;
        EXIT WHEN NOT FOUND;

        UPDATE waops.message_count AS counted
        SET messages = counted.messages + v_difference
        WHERE counted.conversation_id = v_conversation_id;

        IF NOT FOUND THEN
            -- Nothing for a conversation that is being deleted together with its messages.
            INSERT INTO waops.message_count AS counted (conversation_id, messages)
            SELECT
                conversation.id,
                (
                    SELECT count(*)
                    FROM public.whatsapp_conversation_messages AS message
                    WHERE message.conversation_id = conversation.id
                )
            FROM public.whatsapp_conversations AS conversation
            WHERE conversation.id = v_conversation_id
            ON CONFLICT (conversation_id) DO UPDATE SET messages = counted.messages + v_difference;
        END IF;
    END LOOP;

    RETURN NULL;
END
$$;
