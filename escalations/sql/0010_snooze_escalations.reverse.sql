DROP FUNCTION waops.snooze_escalations(uuid[], bigint, text, timestamp with time zone, integer[]);
