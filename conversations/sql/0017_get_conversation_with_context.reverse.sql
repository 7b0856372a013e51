DROP FUNCTION public.get_conversation_with_context(uuid, text, integer);
