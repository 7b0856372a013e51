DROP TRIGGER waops_count_inserted ON public.whatsapp_conversation_messages;
DROP TRIGGER waops_count_deleted ON public.whatsapp_conversation_messages;
DROP TRIGGER waops_count_moved ON public.whatsapp_conversation_messages;
DROP TRIGGER waops_count_truncated ON public.whatsapp_conversation_messages;

-- Uncounted from here on; should the triggers come back, every conversation is counted anew.
TRUNCATE waops.message_count;
