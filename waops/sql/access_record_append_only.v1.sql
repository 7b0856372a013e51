CREATE TRIGGER access_record_append_only
    BEFORE UPDATE OR TRUNCATE ON waops.waops_accessrecord
    FOR EACH STATEMENT EXECUTE FUNCTION waops.refuse_change('manage.py periodic removes what is old enough.');

CREATE TRIGGER access_record_kept
    BEFORE DELETE ON waops.waops_accessrecord
    FOR EACH ROW EXECUTE FUNCTION waops.refuse_change('manage.py periodic removes what is old enough.');
