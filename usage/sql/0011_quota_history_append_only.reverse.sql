DROP TRIGGER quota_history_append_only ON waops.usage_quotachange;
