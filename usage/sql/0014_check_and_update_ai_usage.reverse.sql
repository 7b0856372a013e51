DROP FUNCTION public.check_and_update_ai_usage(uuid, boolean);
