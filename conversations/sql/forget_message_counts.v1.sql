-- Trigger on public.whatsapp_conversations, once per DELETE: deletes the conversation's count. A count that others hold
-- stays, which does no harm, because it is exact or unknown. Never fails the statement that fired it.
-- SECURITY DEFINER: the roles that delete conversations may not write the counts.
CREATE OR REPLACE FUNCTION waops.forget_message_counts() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '40ms'
AS $$
BEGIN
    IF coalesce(current_setting('waops.count_waits', true), '') <> '' THEN
        RETURN NULL;
    END IF;
    DELETE FROM waops.message_count AS counted
    WHERE counted.conversation_id IN (
        SELECT held.conversation_id
        FROM waops.message_count AS held
        JOIN removed ON removed.id = held.conversation_id
        FOR UPDATE OF held SKIP LOCKED
    );
    RETURN NULL;
EXCEPTION
    WHEN lock_not_available THEN
        PERFORM set_config('waops.count_waits', 'count', true);
        RETURN NULL;
    WHEN OTHERS THEN
        RETURN NULL;
END
$$;
