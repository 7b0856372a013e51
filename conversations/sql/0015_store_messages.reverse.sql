DROP FUNCTION public.store_messages(uuid, jsonb);
