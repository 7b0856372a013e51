-- Trigger on public.whatsapp_conversation_messages: stores an empty message id as NULL, because two empty ids in a
-- conversation would violate uniq_messages_conversation_message_id and the second message would be lost.
-- Never fails the row, even if the column is gone or has another type.
CREATE OR REPLACE FUNCTION waops.empty_message_id() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.message_id = '' THEN
        NEW.message_id := NULL;
    END IF;
    RETURN NEW;
EXCEPTION WHEN OTHERS THEN
    RETURN NEW;
END
$$;
