DROP FUNCTION waops.refuse_quota_history_change();
