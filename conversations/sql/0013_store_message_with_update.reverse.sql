DROP FUNCTION public.store_message_with_update(uuid, text, text, text);
