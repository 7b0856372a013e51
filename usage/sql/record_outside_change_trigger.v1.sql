CREATE TRIGGER waops_record_outside_change
    AFTER UPDATE ON public.profiles
    FOR EACH ROW EXECUTE FUNCTION waops.record_outside_change();
