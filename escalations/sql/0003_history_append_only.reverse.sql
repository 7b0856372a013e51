DROP TRIGGER history_append_only ON waops.escalations_event;
