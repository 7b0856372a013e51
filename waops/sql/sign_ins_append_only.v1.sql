CREATE TRIGGER sign_ins_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON waops.waops_signinevent
    FOR EACH STATEMENT EXECUTE FUNCTION waops.refuse_change();
