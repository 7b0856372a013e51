-- How many messages a conversation has, which the caller has locked: the kept count or, if it is unknown, COUNT(*),
-- which is kept from then on.
-- `p_stored`: the caller has just stored messages; if the triggers did not note them, they are not working, and nothing
-- is kept. This is the only thing of this schema that the public functions call; without it they count.
-- SECURITY DEFINER: the caller may not write the count. Without row security: it fails instead of counting only what
-- its owner may see.
CREATE OR REPLACE FUNCTION waops.exact_count(p_conversation_id uuid, p_stored boolean) RETURNS bigint
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '40ms'
    SET row_security = off
AS $$
DECLARE
    v_table CONSTANT oid := 'public.whatsapp_conversation_messages'::regclass;
    v_basis CONSTANT bigint := waops.count_triggers('public.whatsapp_conversation_messages');
    v_messages bigint;
    v_is_lost boolean;
    v_is_noted boolean;
BEGIN
    -- Inside a trigger, changes of the statement that fired it are in the table and not in the count yet.
    IF pg_trigger_depth() > 0 THEN
        RETURN NULL;
    END IF;
    SELECT
        CASE
            WHEN counted.table_oid = v_table AND counted.basis = v_basis AND NOT EXISTS (
                SELECT FROM waops.message_count_missed AS missed WHERE missed.conversation_id = p_conversation_id
            )
            THEN counted.messages
        END,
        lost.is_called,
        NOT p_stored OR counted.noted_at = statement_timestamp()
    INTO v_messages, v_is_lost, v_is_noted
    FROM waops.message_count_lost AS lost
    LEFT JOIN waops.message_count AS counted ON counted.conversation_id = p_conversation_id;
    IF v_messages IS NOT NULL AND v_is_noted AND NOT v_is_lost THEN
        RETURN v_messages;
    END IF;
    v_messages := NULL;

    -- With one snapshot for all statements, others' changes may be in the count and not in the table.
    IF current_setting('transaction_isolation') = 'read committed' AND NOT v_is_lost AND v_basis IS NOT NULL THEN
        -- First the lock: everyone who changed the count before has committed, and everyone after waits.
        INSERT INTO waops.message_count AS counted (conversation_id, table_oid)
        VALUES (p_conversation_id, v_table)
        ON CONFLICT (conversation_id) DO UPDATE SET messages = NULL, table_oid = v_table;
        IF v_is_noted IS NOT TRUE THEN
            RETURN NULL;
        END IF;

        -- Then, in one snapshot, the messages and the changes that were missed. Those committed later stay missed.
        WITH found AS (
            DELETE FROM waops.message_count_missed AS missed WHERE missed.conversation_id = p_conversation_id
        )
        UPDATE waops.message_count AS counted
        SET messages = (
                SELECT count(*)
                FROM public.whatsapp_conversation_messages AS message
                WHERE message.conversation_id = p_conversation_id
            ),
            basis = v_basis,
            counted_at = statement_timestamp()
        WHERE counted.conversation_id = p_conversation_id
        RETURNING counted.messages INTO v_messages;
    END IF;
    RETURN v_messages;
END
$$;
