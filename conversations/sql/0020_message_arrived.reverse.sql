DROP FUNCTION public.message_arrived(uuid, text, text, text, integer);
