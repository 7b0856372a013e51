DROP FUNCTION public.store_message_and_update_conversation(uuid, text, text, text);
