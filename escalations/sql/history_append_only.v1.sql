CREATE TRIGGER history_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON waops.escalations_event
    FOR EACH STATEMENT EXECUTE FUNCTION waops.refuse_change('Add an event that corrects the earlier one.');
