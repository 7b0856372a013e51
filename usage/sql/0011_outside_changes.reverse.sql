DROP TRIGGER waops_record_outside_change ON public.profiles;
