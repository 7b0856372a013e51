CREATE TRIGGER waops_forget_message_counts
    AFTER DELETE ON public.whatsapp_conversations
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION waops.forget_message_counts();
