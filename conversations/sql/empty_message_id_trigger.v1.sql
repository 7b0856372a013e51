-- The condition is in the function: in WHEN it would keep the service from changing or dropping the column. The index
-- stays as it is, because an upsert over REST could not infer one on an expression.
CREATE TRIGGER waops_empty_message_id
    BEFORE INSERT OR UPDATE ON public.whatsapp_conversation_messages
    FOR EACH ROW EXECUTE FUNCTION waops.empty_message_id();
