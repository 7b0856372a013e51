DROP FUNCTION public.get_instance_state(uuid, text);
