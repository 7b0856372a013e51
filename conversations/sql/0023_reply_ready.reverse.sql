DROP FUNCTION public.reply_ready(uuid, text, text, jsonb, uuid, uuid);
