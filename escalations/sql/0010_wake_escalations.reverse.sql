DROP FUNCTION waops.wake_escalations(uuid[], bigint, text, integer[]);
