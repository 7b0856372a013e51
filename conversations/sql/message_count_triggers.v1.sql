-- In one file and one transaction, because a count is exact only if every kind of change is counted from the same
-- moment on. Earlier counts are discarded. ALWAYS: also with session_replication_role = replica.
TRUNCATE waops.message_count, waops.message_count_missed;

CREATE TRIGGER waops_count_inserted
    AFTER INSERT ON public.whatsapp_conversation_messages
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION waops.count_messages();

CREATE TRIGGER waops_count_deleted
    AFTER DELETE ON public.whatsapp_conversation_messages
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION waops.count_messages();

CREATE TRIGGER waops_count_moved
    AFTER UPDATE ON public.whatsapp_conversation_messages
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION waops.count_messages();

CREATE TRIGGER waops_count_truncated
    AFTER TRUNCATE ON public.whatsapp_conversation_messages
    FOR EACH STATEMENT EXECUTE FUNCTION waops.count_messages();

ALTER TABLE public.whatsapp_conversation_messages
    ENABLE ALWAYS TRIGGER waops_count_inserted,
    ENABLE ALWAYS TRIGGER waops_count_deleted,
    ENABLE ALWAYS TRIGGER waops_count_moved,
    ENABLE ALWAYS TRIGGER waops_count_truncated;
