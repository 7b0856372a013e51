CREATE TRIGGER quota_history_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON waops.usage_quotachange
    FOR EACH STATEMENT EXECUTE FUNCTION waops.refuse_quota_history_change();
