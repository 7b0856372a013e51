CREATE TRIGGER quota_history_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON waops.usage_quotachange
    FOR EACH STATEMENT EXECUTE FUNCTION waops.refuse_change('Add a change that corrects the earlier one.');
