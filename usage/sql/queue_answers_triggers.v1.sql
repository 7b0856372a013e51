-- In one file and one transaction: the counts are exact only if every kind of change is queued from the same moment on.
CREATE TRIGGER waops_queue_inserted
    AFTER INSERT ON public.whatsapp_ai_interactions
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION waops.queue_answers();

CREATE TRIGGER waops_queue_updated
    AFTER UPDATE ON public.whatsapp_ai_interactions
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION waops.queue_answers();

CREATE TRIGGER waops_queue_deleted
    AFTER DELETE ON public.whatsapp_ai_interactions
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION waops.queue_answers();

CREATE TRIGGER waops_queue_truncated
    AFTER TRUNCATE ON public.whatsapp_ai_interactions
    FOR EACH STATEMENT EXECUTE FUNCTION waops.queue_answers();

-- Also where session_replication_role is replica.
ALTER TABLE public.whatsapp_ai_interactions
    ENABLE ALWAYS TRIGGER waops_queue_inserted,
    ENABLE ALWAYS TRIGGER waops_queue_updated,
    ENABLE ALWAYS TRIGGER waops_queue_deleted,
    ENABLE ALWAYS TRIGGER waops_queue_truncated;
