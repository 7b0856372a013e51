DROP FUNCTION public.update_personality_usage_batch(uuid[]);
