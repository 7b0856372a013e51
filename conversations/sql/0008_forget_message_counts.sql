-- Trigger of public.whatsapp_conversations, once per DELETE: the count goes with its conversation. SECURITY DEFINER
-- because whoever may delete conversations may not write the counts.
CREATE OR REPLACE FUNCTION waops.forget_message_counts() RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM waops.message_count AS counted
    USING removed
    WHERE counted.conversation_id = removed.id;
    RETURN NULL;
END
$$;
